//! Names at the gateway: the containers' own, then the host's resolvers. It knows nothing of links.

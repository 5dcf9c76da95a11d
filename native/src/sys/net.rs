//! System calls of the network supervisor that rustix does not wrap as safe.

//! System calls of the OCI runtime.

//! Patterns of COPY, ADD and .dockerignore. Bytes in, answers out: no file system but in `expand`.

pub mod expand;
pub mod glob;
pub mod ignore;

//! Trees on the disk, reached by descriptors only: opening roots, resolving paths beneath them, reading,
//! removing and setting attributes. Knows nothing of archives.

pub mod attrs;
pub mod beneath;
pub mod mkdir;
pub mod remove;
pub mod root;
pub mod walk;

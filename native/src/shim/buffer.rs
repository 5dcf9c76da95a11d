//! Bytes on their way to a descriptor that may not take them yet, and docker's stdcopy framing. Empty
//! buffers hold no memory.

use rustix::fd::AsFd;
use rustix::io::Errno;
use std::collections::VecDeque;

/// What a client may leave unread before the shim stops reading the container (docs/native.md).
pub const CLIENT_LIMIT: usize = 1 << 20;

/// A queue of bytes, written out as far as the descriptor takes them.
#[derive(Default)]
pub struct Buffer {
    bytes: VecDeque<u8>,
}

impl Buffer {
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn push(&mut self, data: &[u8]) {
        self.bytes.extend(data);
    }

    /// One stdcopy frame: `[stream,0,0,0,len32be]` and the data.
    pub fn push_frame(&mut self, stream: u8, data: &[u8]) {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes();
        self.bytes.reserve(data.len() + 8);
        self.bytes.extend([stream, 0, 0, 0]);
        self.bytes.extend(length);
        self.bytes.extend(data);
    }

    /// Forgets what is queued and its memory.
    pub fn clear(&mut self) {
        self.bytes = VecDeque::new();
    }

    /// Writes until empty or until the descriptor would block. An error means that the reader is gone.
    pub fn flush(&mut self, fd: impl AsFd) -> Result<(), Errno> {
        while !self.bytes.is_empty() {
            let (head, _) = self.bytes.as_slices();
            match rustix::io::write(&fd, head) {
                Ok(count) => {
                    self.bytes.drain(..count);
                }
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        if self.bytes.capacity() > 0 {
            self.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn frames_decode_to_what_was_pushed(parts in prop::collection::vec((1u8..3, prop::collection::vec(any::<u8>(), 0..300)), 0..20)) {
            let mut buffer = Buffer::default();
            for (stream, data) in &parts {
                buffer.push_frame(*stream, data);
            }
            let bytes: Vec<u8> = buffer.bytes.iter().copied().collect();
            let mut rest = bytes.as_slice();
            for (stream, data) in &parts {
                prop_assert_eq!(&rest[..4], &[*stream, 0, 0, 0]);
                let length = u32::from_be_bytes([rest[4], rest[5], rest[6], rest[7]]) as usize;
                prop_assert_eq!(&rest[8..8 + length], data.as_slice());
                rest = &rest[8 + length..];
            }
            prop_assert!(rest.is_empty());
        }
    }

    #[test]
    fn an_emptied_buffer_holds_no_memory() {
        let (reader, writer) = rustix::pipe::pipe().expect("pipe");
        let mut buffer = Buffer::default();
        buffer.push(b"hello");
        buffer.flush(&writer).expect("flush");
        assert_eq!(buffer.bytes.capacity(), 0);
        drop(reader);
        buffer.push(b"x");
        assert!(buffer.flush(&writer).is_err());
    }
}

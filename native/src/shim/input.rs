//! What clients send: request lines, which are bounded, and standard input, which is read only as fast
//! as the process takes it.

use super::client::{Role, Target};
use super::request::LINE_LIMIT;
use super::server::{Server, take_chunk};
use crate::error::{Failure, Kind};
use rustix::event::PollFlags;
use rustix::io::Errno;

impl Server {
    pub fn handle_client(&mut self, id: u64, flags: PollFlags) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        if flags.intersects(PollFlags::HUP | PollFlags::ERR) {
            client.hung_up = true;
            client.deafen();
        }
        if flags.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) && client.wants_input(true) {
            self.read_client(id);
        }
    }

    /// Reads once: a part of the request, or standard input.
    fn read_client(&mut self, id: u64) {
        let mut chunk = take_chunk(&mut self.chunk);
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let count = match rustix::io::read(&client.fd, &mut chunk[..]) {
            Ok(count) => Some(count),
            Err(Errno::AGAIN | Errno::INTR) => None,
            Err(_) => Some(0),
        };
        if let Some(count) = count {
            let stream = match &client.role {
                Role::Stream(target, _) => Some(*target),
                _ => None,
            };
            match stream {
                Some(target) => self.take_input(id, target, &chunk[..count]),
                None => self.take_request(id, &chunk[..count]),
            }
        }
        self.chunk = chunk;
    }

    /// Bytes of a request; carries it out when its line is complete.
    fn take_request(&mut self, id: u64, data: &[u8]) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        let Role::Request(buffer) = &mut client.role else {
            return;
        };
        let start = buffer.len();
        buffer.extend_from_slice(data);
        let newline = buffer[start..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map(|at| start + at);
        let too_long = newline.unwrap_or(buffer.len()) > LINE_LIMIT;
        let cut_off = data.is_empty();
        if too_long || (cut_off && newline.is_none()) {
            let message = if too_long {
                "the request line is longer than 1 MiB"
            } else {
                "the connection ended before its request line did"
            };
            client.answer(Err(Failure::new(Kind::Invalid, message)));
        } else if let Some(end) = newline {
            let mut line = std::mem::take(buffer);
            let rest = line.split_off(end + 1);
            line.truncate(end);
            self.carry_out(id, &line, &rest);
        }
    }

    /// Standard input from a client; no bytes: its half-close.
    pub fn take_input(&mut self, id: u64, target: Target, data: &[u8]) {
        let once = self.request.stdin_once;
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        if !data.is_empty() {
            if let Some(io) = self.io_of(target) {
                io.sink.push(data);
            }
            return;
        }
        client.input_done = true;
        if let Some(io) = self.io_of(target)
            && io.tty.is_none()
            && (once || target != Target::Main)
        {
            io.sink.end();
        }
    }
}

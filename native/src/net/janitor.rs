//! Removes links on a thread of its own: the kernel takes some 50 ms for each (it waits until nobody can
//! hold the device any more), for which requests must not wait. It knows nothing but names.

use super::link;
use super::netlink::Netlink;
use crate::error::Failure;
use rustix::event::EventfdFlags;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

const STACK: usize = 64 * 1024;

struct Job {
    links: Vec<String>,
    client: Option<u64>,
}

/// A removal that was asked for by a client.
pub type Done = (u64, Result<(), Failure>);

pub struct Janitor {
    jobs: Sender<Job>,
    done: Receiver<Done>,
    wake: Arc<OwnedFd>,
}

impl Janitor {
    /// Starts the thread; the socket is of the namespace whose links it removes.
    pub fn start(netlink: Netlink) -> Result<Self, Failure> {
        let wake = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|errno| Failure::errno("cannot make an event descriptor", errno))?;
        let wake = Arc::new(wake);
        let (jobs, todo) = channel();
        let (report, done) = channel();
        let bell = Arc::clone(&wake);
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn(move || work(netlink, &todo, &report, &bell))
            .map_err(|error| {
                let errno = Errno::from_io_error(&error).unwrap_or(Errno::AGAIN);
                Failure::errno("cannot start a thread", errno)
            })?;
        Ok(Self { jobs, done, wake })
    }

    /// Removes these links soon; the client, if any, is among [`Self::finished`] afterwards.
    pub fn remove(&self, links: Vec<String>, client: Option<u64>) {
        // The thread ends only with this sender.
        let _ = self.jobs.send(Job { links, client });
    }

    /// Clients whose links are gone.
    pub fn finished(&self) -> Vec<Done> {
        let mut count = [0u8; 8];
        let _ = rustix::io::read(&*self.wake, &mut count);
        self.done.try_iter().collect()
    }
}

impl AsFd for Janitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

fn work(mut netlink: Netlink, todo: &Receiver<Job>, report: &Sender<Done>, bell: &OwnedFd) {
    while let Ok(job) = todo.recv() {
        let mut result = Ok(());
        for name in &job.links {
            if let Err(errno) = link::remove(&mut netlink, name) {
                result = Err(Failure::errno(format!("cannot remove the link {name}"), errno));
            }
        }
        if let Some(client) = job.client {
            let _ = report.send((client, result));
            let _ = rustix::io::write(bell, &1u64.to_ne_bytes());
        }
    }
}

//! Ends: of execs, of the container and of the shim itself. The order matters: first the output is
//! complete, then the exit file is there, then the waiters hear of it.

use super::client::{Role, Target};
use super::exit::{self, Exit};
use super::server::{Phase, Server};
use crate::error::{Failure, Kind};
use rustix::process::{Pid, WaitOptions, WaitStatus};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Readers that are still attached at the container's end have so long.
const LINGER: Duration = Duration::from_secs(5);
/// At the end at most so much is drained: more than any pipe holds.
const DRAIN_LIMIT: usize = 1024;

impl Server {
    /// Reaps every child that has ended: init, execs, and orphans that fell to the subreaper.
    pub fn reap(&mut self) {
        let mut init = None;
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid.as_raw_nonzero().get() == self.container.pid() => {
                    init = Some(status);
                }
                Ok(Some((pid, status))) => self.end_exec(pid.as_raw_nonzero().get(), Exit::of(status)),
                Err(rustix::io::Errno::INTR) => {}
                Ok(None) | Err(_) => break,
            }
        }
        if let Some(status) = init
            && self.phase != Phase::Stopped
        {
            self.end_container(status);
        }
    }

    fn end_exec(&mut self, pid: i32, exit: Exit) {
        let answer = exit.to_json();
        let Some(target) = self.sessions.end(pid, exit) else {
            return;
        };
        if self.answer_waiters(target, &answer) > 0
            && let Target::Exec(serial) = target
            && let Some(id) = self.sessions.get_mut(serial).map(|session| session.id.clone())
        {
            self.sessions.ask(&id);
        }
    }

    fn answer_waiters(&mut self, target: Target, answer: &Value) -> usize {
        let mut count = 0;
        for client in self.clients.values_mut() {
            if matches!(client.role, Role::Waiter(of) if of == target) {
                client.answer(Ok(answer.clone()));
                count += 1;
            }
        }
        count
    }

    /// Drains ended execs as far as their readers take it, and lets go of those that are drained.
    pub fn finish_sessions(&mut self) {
        let ended: Vec<(u64, usize)> = self
            .sessions
            .live
            .iter()
            .filter(|session| session.ended)
            .map(|session| (session.serial, session.io.sources.len()))
            .collect();
        for (serial, sources) in ended {
            let target = Target::Exec(serial);
            for index in 0..sources {
                while !self.holds_back(target) && self.pump(target, index) {}
            }
            let drained = self
                .sessions
                .get_mut(serial)
                .is_none_or(|session| session.io.drained());
            if drained {
                self.sessions.live.retain(|session| session.serial != serial);
                self.close_streams(target);
            }
        }
    }

    fn holds_back(&self, target: Target) -> bool {
        self.clients
            .values()
            .any(|client| client.is_full() && (client.takes(target, 1) || client.takes(target, 2)))
    }

    fn close_streams(&mut self, target: Target) {
        for client in self.clients.values_mut() {
            if matches!(client.role, Role::Stream(of, _) if of == target) {
                client.role = Role::Closing;
            }
        }
    }

    fn end_container(&mut self, status: WaitStatus) {
        let created = self.phase == Phase::Created;
        self.phase = Phase::Stopped;
        let mut exit = Exit::of(status);
        let mut problems = Vec::new();
        note(&mut problems, self.container.kill_rest());
        self.drain();
        exit.oom_killed = self.container.oom_killed();
        note(&mut problems, self.container.destroy());
        if let Some((code, message)) = self.start_failure.take() {
            exit.code = code;
            exit.signal = None;
            exit.error = Some(message);
        } else if created {
            exit.error = Some("the container ended before it was started".to_owned());
        } else if !problems.is_empty() {
            exit.error = Some(problems.join("; "));
        }
        let record = exit.to_json();
        let mut written = exit::write_durably(&self.request.exit_file, &format!("{record}\n"));
        if written == Err(rustix::io::Errno::NOSPC) {
            // The log is what fills disks: the exit status is worth more than its newest file's room.
            std::thread::sleep(Duration::from_millis(200));
            written = exit::write_durably(&self.request.exit_file, &format!("{record}\n"));
        }
        if let Err(errno) = written {
            exit.error = Some(format!("the exit file could not be written: {errno}"));
        }
        self.retire(exit);
    }

    /// Reads what the container left in its pipes, whoever reads or does not.
    fn drain(&mut self) {
        for index in 0..self.io.sources.len() {
            for _ in 0..DRAIN_LIMIT {
                if !self.pump(Target::Main, index) {
                    break;
                }
            }
        }
        if let Some(log) = &mut self.log {
            log.finish();
        }
        self.io = super::stdio::Io::default();
    }

    /// Removes the socket, answers everybody and lets the loop run out.
    fn retire(&mut self, exit: Exit) {
        self.accept();
        let socket = self.request.dir.join("shim.sock");
        if rustix::fs::lstat(&socket).is_ok_and(|stat| stat.st_ino == self.socket_inode) {
            let _ = rustix::fs::unlink(&socket);
        }
        self.answer_waiters(Target::Main, &exit.to_json());
        self.close_streams(Target::Main);
        self.exit = Some(exit);
        // The execs died with the container; those whose end was not seen are said to be killed.
        self.reap();
        let unseen: Vec<i32> = self
            .sessions
            .live
            .iter()
            .filter(|session| !session.ended)
            .map(|session| session.pid)
            .collect();
        for pid in unseen {
            if let Some(pid) = Pid::from_raw(pid) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
            self.end_exec(pid, Exit::killed());
        }
        self.ends_at = Some(Instant::now() + LINGER);
    }

    /// Tears down a container that was never started; there is no exit file then.
    pub fn stop_created(&mut self, id: u64) {
        if self.phase != Phase::Created {
            let message = "the container has been started: kill it instead";
            return self.answer(id, Err(Failure::new(Kind::Conflict, message)));
        }
        self.phase = Phase::Stopped;
        let mut problems = Vec::new();
        note(&mut problems, self.container.kill(libc::SIGKILL, false));
        if let Some(pid) = Pid::from_raw(self.container.pid()) {
            let _ = rustix::process::waitpid(Some(pid), WaitOptions::empty());
        }
        note(&mut problems, self.container.kill_rest());
        note(&mut problems, self.container.destroy());
        self.io = super::stdio::Io::default();
        let _ = rustix::fs::unlink(self.request.dir.join("shim.json"));
        if let Some(log) = &self.log {
            log.remove_if_empty();
        }
        let result = if problems.is_empty() {
            Ok(Value::Null)
        } else {
            Err(Failure::new(Kind::Internal, problems.join("; ")))
        };
        self.answer(id, result);
        self.retire(Exit::killed());
    }
}

fn note(problems: &mut Vec<String>, result: Result<(), Failure>) {
    if let Err(failure) = result {
        problems.push(failure.to_string());
    }
}

//! The exec sessions of a container: those that run, and how those ended that are over (bounded).

use super::client::Target;
use super::exit::Exit;
use super::stdio::Io;
use std::collections::VecDeque;

/// So many ended execs are remembered, and so many of them after their status was asked for.
const REMEMBERED: usize = 1000;
const REMEMBERED_ASKED: usize = 64;

/// An exec whose process runs or whose output is not drained yet.
pub struct Session {
    pub serial: u64,
    pub id: String,
    pub pid: i32,
    pub io: Io,
    pub ended: bool,
}

/// An exec that is over.
pub struct Ended {
    pub id: String,
    pub pid: i32,
    pub exit: Exit,
    asked: bool,
}

#[derive(Default)]
pub struct Sessions {
    pub live: Vec<Session>,
    ended: VecDeque<Ended>,
    serial: u64,
}

impl Sessions {
    /// Takes up a new exec and gives its serial number.
    pub fn add(&mut self, id: String, pid: i32, io: Io) -> u64 {
        self.serial += 1;
        self.live.push(Session {
            serial: self.serial,
            id,
            pid,
            io,
            ended: false,
        });
        self.serial
    }

    pub fn knows(&self, id: &str) -> bool {
        self.running(id).is_some() || self.ended.iter().any(|ended| ended.id == id)
    }

    /// The exec of that id whose process runs.
    pub fn running(&self, id: &str) -> Option<&Session> {
        self.live
            .iter()
            .find(|session| session.id == id && !session.ended)
    }

    pub fn get_mut(&mut self, serial: u64) -> Option<&mut Session> {
        self.live.iter_mut().find(|session| session.serial == serial)
    }

    /// Notes the end of the exec with that pid and gives its target.
    pub fn end(&mut self, pid: i32, exit: Exit) -> Option<Target> {
        let session = self
            .live
            .iter_mut()
            .find(|session| session.pid == pid && !session.ended)?;
        session.ended = true;
        let target = Target::Exec(session.serial);
        let id = session.id.clone();
        self.ended.push_back(Ended {
            id,
            pid,
            exit,
            asked: false,
        });
        self.forget_old();
        Some(target)
    }

    /// The exit of an ended exec, for `wait`.
    pub fn ask(&mut self, id: &str) -> Option<Exit> {
        let ended = self.ended.iter_mut().find(|ended| ended.id == id)?;
        ended.asked = true;
        let exit = ended.exit.clone();
        self.forget_old();
        Some(exit)
    }

    /// The ended ones, oldest first.
    pub fn ended(&self) -> impl Iterator<Item = &Ended> {
        self.ended.iter()
    }

    fn forget_old(&mut self) {
        let asked = self.ended.iter().filter(|ended| ended.asked).count();
        if asked > REMEMBERED_ASKED
            && let Some(index) = self.ended.iter().position(|ended| ended.asked)
        {
            self.ended.remove(index);
        }
        if self.ended.len() > REMEMBERED {
            self.ended.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_ended_execs_is_bounded() {
        let mut sessions = Sessions::default();
        for pid in 1..=1500 {
            sessions.add(format!("e{pid}"), pid, Io::default());
            assert!(sessions.end(pid, Exit::killed()).is_some());
            sessions.live.clear();
        }
        assert_eq!(sessions.ended().count(), REMEMBERED);
        assert!(sessions.ask("e1").is_none());
        for pid in 600..=1500 {
            assert!(sessions.ask(&format!("e{pid}")).is_some());
        }
        assert!(sessions.ended().count() <= REMEMBERED - 900 + REMEMBERED_ASKED + 1);
    }
}

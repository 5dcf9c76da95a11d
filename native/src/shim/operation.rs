//! Carries out the operations of the shim's socket. Each is answered with one line; those that stream
//! turn their connection into the stream.

use super::client::{Client, Role, Target};
use super::request::{self, Exec, Operation, Resize, Streams};
use super::server::{Phase, Server};
use crate::error::{Failure, Kind};
use rustix::io::Errno;
use serde_json::{Value, json};

impl Server {
    /// `rest`: bytes that came after the request line (the stream's first).
    pub fn carry_out(&mut self, id: u64, line: &[u8], rest: &[u8]) {
        let operation = match request::parse(line) {
            Ok(operation) => operation,
            Err(failure) => return self.answer(id, Err(failure)),
        };
        match operation {
            Operation::Attach(streams) => self.attach(id, streams, rest),
            Operation::Exec(exec) => self.exec(id, *exec, rest),
            Operation::Wait(of) => self.wait(id, of.exec.as_deref()),
            Operation::StopCreated => self.stop_created(id),
            Operation::Start => {
                let result = self.start();
                self.answer(id, result);
            }
            Operation::Resize(resize) => {
                let result = self.resize(&resize);
                self.answer(id, result);
            }
            Operation::State => {
                let state = self.state();
                self.answer(id, Ok(state));
            }
            other => {
                let result = self.govern(&other);
                self.answer(id, result);
            }
        }
    }

    fn client(&mut self, id: u64) -> Option<&mut Client> {
        self.clients.get_mut(&id)
    }

    pub fn answer(&mut self, id: u64, result: Result<Value, Failure>) {
        if let Some(client) = self.client(id) {
            client.answer(result);
        }
    }

    /// The operations that need a container that has not ended.
    fn govern(&mut self, operation: &Operation) -> Result<Value, Failure> {
        if self.phase == Phase::Stopped {
            return Err(Failure::new(Kind::Conflict, "the container has ended"));
        }
        match operation {
            Operation::Kill(kill) => self.container.kill(kill.signal, kill.all)?,
            Operation::Pause if self.phase == Phase::Created => {
                return Err(Failure::new(Kind::Conflict, "the container is not running"));
            }
            Operation::Pause => self.container.pause()?,
            Operation::Resume => self.container.resume()?,
            Operation::Update(update) => self.container.update(&update.resources)?,
            Operation::Stats => return self.container.stats(),
            _ => {
                return Err(Failure::new(
                    Kind::NotImplemented,
                    "not an operation of this kind",
                ));
            }
        }
        Ok(Value::Null)
    }

    fn start(&mut self) -> Result<Value, Failure> {
        if self.phase != Phase::Created {
            return Err(Failure::new(
                Kind::Conflict,
                "the container has been started already",
            ));
        }
        let result = self.container.start();
        self.phase = Phase::Running;
        if let Err(failure) = result {
            let code = if failure.errno == Some(Errno::NOENT) {
                127
            } else {
                126
            };
            self.start_failure = Some((code, failure.to_string()));
            // Init ends by itself after a failed exec; a failed hook leaves it to us.
            let _ = self.container.kill(libc::SIGKILL, true);
            return Err(failure);
        }
        Ok(Value::Null)
    }

    fn attach(&mut self, id: u64, streams: Streams, rest: &[u8]) {
        if self.phase == Phase::Stopped {
            return self.answer(id, Err(Failure::new(Kind::Conflict, "the container has ended")));
        }
        self.become_stream(id, Target::Main, streams, json!({}));
        if streams.stdin && !rest.is_empty() {
            self.take_input(id, Target::Main, rest);
        }
    }

    fn become_stream(&mut self, id: u64, target: Target, streams: Streams, answer: Value) {
        if let Some(client) = self.client(id) {
            client.say(Ok(answer));
            client.role = Role::Stream(target, streams);
        }
    }

    fn exec(&mut self, id: u64, mut exec: Exec, rest: &[u8]) {
        let problem = if self.phase != Phase::Running {
            Some((Kind::Conflict, "the container is not running".to_owned()))
        } else if exec.id.is_empty() || exec.id.len() > 256 {
            Some((
                Kind::Invalid,
                "an exec needs an id of at most 256 bytes".to_owned(),
            ))
        } else if self.sessions.knows(&exec.id) {
            Some((Kind::Conflict, format!("there is an exec {} already", exec.id)))
        } else {
            None
        };
        if let Some((kind, message)) = problem {
            return self.answer(id, Err(Failure::new(kind, message)));
        }
        let (execed, io) = match self.container.exec(&mut exec) {
            Ok(made) => made,
            Err(failure) => return self.answer(id, Err(failure)),
        };
        let serial = self.sessions.add(exec.id, execed.pid, io);
        let answer = json!({"pid": execed.pid});
        if exec.detach {
            return self.answer(id, Ok(answer));
        }
        let target = Target::Exec(serial);
        self.become_stream(id, target, exec.streams, answer);
        if exec.streams.stdin && !rest.is_empty() {
            self.take_input(id, target, rest);
        }
    }

    fn wait(&mut self, id: u64, exec: Option<&str>) {
        let target = match exec {
            None => {
                if let Some(exit) = &self.exit {
                    let answer = exit.to_json();
                    return self.answer(id, Ok(answer));
                }
                Target::Main
            }
            Some(name) => match self.sessions.running(name) {
                Some(session) => Target::Exec(session.serial),
                None => {
                    let exit = self.sessions.ask(name).ok_or_else(|| no_exec(name));
                    return self.answer(id, exit.map(|exit| exit.to_json()));
                }
            },
        };
        if let Some(client) = self.client(id) {
            client.role = Role::Waiter(target);
            client.deadline = None;
        }
    }

    fn resize(&mut self, resize: &Resize) -> Result<Value, Failure> {
        let io = match &resize.exec {
            None => &self.io,
            Some(name) => {
                let session = self.sessions.running(name).ok_or_else(|| no_exec(name))?;
                &session.io
            }
        };
        io.resize(crate::runtime::spec::ConsoleSize {
            height: resize.height,
            width: resize.width,
        })?;
        Ok(Value::Null)
    }

    fn state(&self) -> Value {
        let status = match self.phase {
            Phase::Created => "created",
            Phase::Running if self.container.paused => "paused",
            Phase::Running => "running",
            Phase::Stopped => "stopped",
        };
        let live = self.sessions.live.iter().filter(|session| !session.ended);
        let mut execs: Vec<Value> = self
            .sessions
            .ended()
            .map(|ended| json!({"id": ended.id, "pid": ended.pid, "exitCode": ended.exit.code}))
            .collect();
        execs.extend(live.map(|session| json!({"id": session.id, "pid": session.pid, "exitCode": null})));
        json!({
            "status": status,
            "pid": self.container.pid(),
            "startTime": self.container.start_time(),
            "execs": execs,
            "logLost": self.log.as_ref().map_or(0, super::log::Log::lost),
        })
    }
}

fn no_exec(name: &str) -> Failure {
    Failure::new(Kind::NotFound, format!("the container has no exec {name}"))
}

//! `layer mkdir`: a directory and its parents beneath a root, as WORKDIR makes them.

use crate::error::{Failure, Kind};
use crate::layer::copy::chmod::Change;
use crate::layer::tree::beneath::{NewDir, clean, ensure_dir};
use crate::layer::tree::root::{Access, Root, Tree, open_root};
use crate::layer::user;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
pub struct Request {
    target: Root,
    path: String,
    owner: Option<String>,
    mode: Option<ModeText>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ModeText {
    Number(u32),
    Text(String),
}

pub fn run(request: &Request) -> Result<Value, Failure> {
    let target = open_root(&request.target, Access::Volatile)?;
    let result = make(request, &target);
    let closed = target.close();
    let answer = result?;
    closed?;
    Ok(answer)
}

fn make(request: &Request, target: &Tree) -> Result<Value, Failure> {
    let owner = match &request.owner {
        Some(spec) => Some(user::resolve(target.fd(), spec)?),
        None => None,
    };
    let mode = match &request.mode {
        None => 0o755,
        Some(ModeText::Number(mode)) if *mode <= 0o7777 => *mode,
        Some(ModeText::Number(mode)) => {
            return Err(Failure::new(Kind::Invalid, format!("{mode} is no file mode")));
        }
        Some(ModeText::Text(text)) => Change::parse(text)?.apply(0o755, true),
    };
    let made = ensure_dir(
        target.fd(),
        &clean(request.path.as_bytes()),
        NewDir { owner, mode },
    )?;
    Ok(json!({ "created": made.created }))
}

//! The issuer's keys: how one is made and signs, and which of them are published.

mod pair;
mod set;

pub(crate) use self::pair::{Key, sign};
pub(crate) use self::set::{ForeignKeys, KeySet};

//! JSON from strangers: one meaning or none.
//!
//! `serde_json` takes the last of several members with the same name; other parsers take the first. A
//! token that means one thing to its issuer and another to us is an attack (RFC 7515 §4, RFC 7519 §4
//! and RFC 7517 §4 all let a recipient refuse duplicates). So here duplicates are refused at every
//! depth, however their names are escaped, and depth and number of values are bounded.

use std::{cell::Cell, fmt, sync::OnceLock};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// What one document may be made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How deep objects and arrays may nest; the outermost object counts.
    pub(crate) depth: usize,
    /// How many values there may be, in all objects and arrays together.
    pub(crate) values: usize,
}

/// Reads one object, and nothing before or after it.
///
/// `None` if it is anything else, repeats a name, or exceeds a bound. The caller knows what it was
/// reading.
pub(crate) fn read_object(bytes: &[u8], bounds: Bounds) -> Option<Map<String, Value>> {
    let values_left = Cell::new(bounds.values);
    let strict = Strict { depth_left: bounds.depth, values_left: &values_left };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = strict.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    match value {
        Value::Object(members) => Some(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            None
        }
    }
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    depth_left: usize,
    values_left: &'a Cell<usize>,
}

impl Strict<'_> {
    fn inside<E: Error>(self) -> Result<Self, E> {
        let depth_left = self.depth_left.checked_sub(1).ok_or_else(|| E::custom("too deep"))?;
        Ok(Self { depth_left, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.values_left.get().checked_sub(1);
        self.values_left.set(left.ok_or_else(|| D::Error::custom("too many values"))?);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut out = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            out.push(item);
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut next = members.next_key::<String>()?;
        if next.as_deref() == Some(NUMBER) && numbers_come_as_maps() {
            let digits = members.next_value::<String>()?;
            return self.visit_f64(digits.parse().map_err(A::Error::custom)?);
        }
        let inside = self.inside()?;
        let mut out = Map::new();
        while let Some(name) = next {
            // NUL ends a string for whatever is written in C behind us.
            if name.contains('\0') || out.contains_key(&name) {
                return Err(A::Error::custom("a name is used twice or holds NUL"));
            }
            let value = members.next_value_seed(inside)?;
            out.insert(name, value);
            next = members.next_key()?;
        }
        Ok(Value::Object(out))
    }
}

/// How `serde_json` wraps numbers that are not small integers when any crate in the build turns on its
/// `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

/// Whether it does. Features of a dependency cannot be seen, so the parser is asked.
///
/// Without this check the wrapper would be believed when it comes from a stranger.
fn numbers_come_as_maps() -> bool {
    struct Probe(bool);

    impl<'de> Deserialize<'de> for Probe {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(IsMap).map(Self)
        }
    }

    struct IsMap;

    impl<'de> Visitor<'de> for IsMap {
        type Value = bool;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number")
        }

        fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
            Ok(false)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<bool, A::Error> {
            while members.next_entry::<String, String>()?.is_some() {}
            Ok(true)
        }
    }

    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| serde_json::from_str::<Probe>("0.5").is_ok_and(|probe| probe.0))
}

#[cfg(test)]
mod tests;

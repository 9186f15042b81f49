use std::pin::Pin;

use super::{KeyAnswer, KeyHint, KeyLookup, KeySource};

/// A [`KeySource`] of any type. Boxed is only what waits for the network anyway.
pub(crate) trait AnyKeySource: Send + Sync {
    fn find(&self, hint: &KeyHint<'_>) -> KeyLookup<KeyWait>;

    fn is_symmetric(&self) -> bool;
}

pub(crate) type KeyWait = Pin<Box<dyn Future<Output = KeyAnswer> + Send>>;

impl<K: KeySource + Send + Sync> AnyKeySource for K
where
    K::Wait: Send + 'static,
{
    fn find(&self, hint: &KeyHint<'_>) -> KeyLookup<KeyWait> {
        match KeySource::find(self, hint) {
            KeyLookup::Ready(answer) => KeyLookup::Ready(answer),
            KeyLookup::Wait(wait) => KeyLookup::Wait(Box::pin(wait)),
        }
    }
    fn is_symmetric(&self) -> bool {
        KeySource::is_symmetric(self)
    }
}

//! Where entries are found: one hash for each name that a request has.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::SystemTime};

use palisade_core::Principal;

use super::{
    DenyEntry,
    entry::{Rule, Target},
    network::NetworkTable,
};

/// All entries from one place.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    /// Whoever the issuer is.
    any: Names,
    by_issuer: HashMap<Arc<str>, Names>,
    networks: NetworkTable<Rules>,
    len: usize,
}

/// Names, which mean something within one issuer only.
///
/// INVARIANT: maps in a map, not a map of pairs: pairs cannot be looked up without being put together first.
#[derive(Clone, Debug, Default)]
struct Names {
    all: Rules,
    subjects: HashMap<Arc<str>, Rules>,
    clients: HashMap<Arc<str>, Rules>,
    tokens: HashMap<Arc<str>, Rules>,
}

#[derive(Clone, Debug, Default)]
struct Rules(Vec<Rule>);

/// An entry that denies a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit<'a> {
    pub(super) what: &'static str,
    pub(super) label: Option<&'a Arc<str>>,
}

impl Tables {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Whether any address is denied at this moment.
    pub(super) fn has_addresses(&self, now: SystemTime) -> bool {
        self.networks.values().any(|rules| rules.find("address", None, now).is_some())
    }

    /// `false` if there would be more than `max` entries. Then nothing has changed.
    pub(super) fn insert(&mut self, entry: DenyEntry, max: usize) -> bool {
        let is_full = self.len >= max;
        let rules = self.rules_of(entry.target);
        if rules.0.iter().any(|rule| rule.includes(&entry.rule)) {
            return true;
        }
        let before = rules.0.len();
        let is_replacement = rules.0.iter().any(|rule| entry.rule.includes(rule));
        if is_full && !is_replacement {
            // Without the empty place that was just made for it.
            self.retain(|_| true);
            return false;
        }
        // What the new one includes has no say any more: to log somebody out again and again takes one place.
        rules.0.retain(|rule| !entry.rule.includes(rule));
        rules.0.push(entry.rule);
        let after = rules.0.len();
        self.len = self.len.saturating_sub(before).saturating_add(after);
        true
    }

    fn rules_of(&mut self, target: Target) -> &mut Rules {
        match target {
            Target::Address(network) => self.networks.entry(network),
            Target::Issuer(issuer) => &mut self.names(Some(issuer)).all,
            Target::Client { issuer, id } => self.names(issuer).clients.entry(id).or_default(),
            Target::Subject { issuer, subject } => {
                self.names(issuer).subjects.entry(subject).or_default()
            }
            Target::Token { issuer, id } => self.names(Some(issuer)).tokens.entry(id).or_default(),
        }
    }

    fn names(&mut self, issuer: Option<Arc<str>>) -> &mut Names {
        match issuer {
            Some(issuer) => self.by_issuer.entry(issuer).or_default(),
            None => &mut self.any,
        }
    }

    /// Drops what is over. Says how many.
    pub(super) fn purge(&mut self, now: SystemTime) -> usize {
        self.retain(|rule| !rule.is_over(now))
    }

    /// Drops all entries about the target of this one. Says how many.
    pub(super) fn lift(&mut self, target: &Target) -> usize {
        let lifted = self.rules_of(target.clone()).0.drain(..).count();
        self.len = self.len.saturating_sub(lifted);
        // The empty places go, too.
        self.retain(|_| true);
        lifted
    }

    fn retain(&mut self, keep: impl Fn(&Rule) -> bool) -> usize {
        let before = self.len;
        let mut left = 0_usize;
        let mut rules = |rules: &mut Rules| {
            rules.0.retain(&keep);
            left = left.saturating_add(rules.0.len());
            !rules.0.is_empty()
        };
        let mut names = |names: &mut Names| {
            let has_all = rules(&mut names.all);
            for map in [&mut names.subjects, &mut names.clients, &mut names.tokens] {
                map.retain(|_, entries| rules(entries));
            }
            has_all
                || !names.subjects.is_empty()
                || !names.clients.is_empty()
                || !names.tokens.is_empty()
        };
        names(&mut self.any);
        self.by_issuer.retain(|_, entries| names(entries));
        self.networks.retain(rules);
        self.len = left;
        before.saturating_sub(left)
    }

    pub(super) fn find_address(&self, address: IpAddr, now: SystemTime) -> Option<Hit<'_>> {
        self.networks.containing(address).find_map(|rules| rules.find("address", None, now))
    }

    pub(super) fn find(&self, principal: &Principal, now: SystemTime) -> Option<Hit<'_>> {
        if self.len == 0 {
            return None;
        }
        let issued_at = principal.issued_at();
        // Only the current actor may influence a decision (RFC 8693 §4.1), so only it is looked for.
        let actor = principal.actors().first();
        let actor_issuer =
            actor.and_then(|actor| actor.issuer()).unwrap_or_else(|| principal.issuer());
        let own = self.by_issuer.get(principal.issuer());
        [own, Some(&self.any)]
            .into_iter()
            .flatten()
            .find_map(|names| names.find(principal, now))
            .or_else(|| {
                let actor = actor?;
                [self.by_issuer.get(actor_issuer), Some(&self.any)]
                    .into_iter()
                    .flatten()
                    .filter_map(|names| names.subjects.get(actor.subject()))
                    .find_map(|rules| rules.find("actor", issued_at, now))
            })
    }
}

impl Names {
    fn find(&self, principal: &Principal, now: SystemTime) -> Option<Hit<'_>> {
        let issued_at = principal.issued_at();
        self.all
            .find("issuer", issued_at, now)
            .or_else(|| self.subjects.get(principal.subject())?.find("subject", issued_at, now))
            .or_else(|| self.clients.get(principal.client_id()?)?.find("client", issued_at, now))
            .or_else(|| self.tokens.get(principal.token_id()?)?.find("token", issued_at, now))
    }
}

impl Rules {
    fn find(
        &self,
        what: &'static str,
        issued_at: Option<SystemTime>,
        now: SystemTime,
    ) -> Option<Hit<'_>> {
        let rule = self.0.iter().find(|rule| rule.denies(issued_at, now))?;
        Some(Hit { what, label: rule.label.as_ref() })
    }
}

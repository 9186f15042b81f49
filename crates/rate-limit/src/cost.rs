//! What requests cost.

use std::{borrow::Cow, collections::HashMap, fmt, sync::Arc};

use http::request::Parts;
use palisade_core::Operation;

/// How many units of a quota a request takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost(u32);

impl Cost {
    /// Nothing: the request passes without a look at the quota.
    pub const FREE: Self = Self(0);
    /// One unit, what every request costs unless you say otherwise.
    pub const ONE: Self = Self(1);

    /// So many units.
    #[must_use]
    pub const fn new(units: u32) -> Self {
        Self(units)
    }

    /// How many units.
    #[must_use]
    pub const fn units(self) -> u32 {
        self.0
    }
}

impl Default for Cost {
    fn default() -> Self {
        Self::ONE
    }
}

impl From<u32> for Cost {
    fn from(units: u32) -> Self {
        Self(units)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What operations cost, as a table that can be checked before the first request.
///
/// The most exact line counts: first the operation with its target, then every operation of the name,
/// then [`otherwise`](Self::otherwise). Of two lines for the same, the later counts.
///
/// Cheap to clone.
///
/// ```
/// use palisade_core::Operation;
/// use palisade_rate_limit::{Cost, CostTable};
///
/// let costs = CostTable::new()
///     .operation(Operation::new("mcp", "tools/call").with_target("export"), Cost::new(50))
///     .every("mcp", "tools/call", Cost::new(5))
///     .every("mcp", "ping", Cost::FREE);
///
/// let export = Operation::new("mcp", "tools/call").with_target("export");
/// let search = Operation::new("mcp", "tools/call").with_target("search");
/// assert_eq!(costs.cost_of(&export), Cost::new(50));
/// assert_eq!(costs.cost_of(&search), Cost::new(5));
/// assert_eq!(costs.cost_of(&Operation::new("mcp", "tools/list")), Cost::ONE);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a table charges nothing until a layer has it"]
pub struct CostTable(Arc<Lines>);

#[derive(Clone, Debug, Default)]
struct Lines {
    exact: HashMap<Operation, Cost>,
    /// By protocol, then by name.
    every: HashMap<&'static str, HashMap<Cow<'static, str>, Cost>>,
    otherwise: Cost,
}

impl CostTable {
    /// A table in which every operation costs [one](Cost::ONE).
    pub fn new() -> Self {
        Self::default()
    }

    /// The cost of exactly this operation, target included.
    pub fn operation(self, operation: Operation, cost: Cost) -> Self {
        self.edit(|lines| {
            lines.exact.insert(operation, cost);
        })
    }

    /// The cost of every operation of this name, whatever its target.
    pub fn every(
        self,
        protocol: &'static str,
        name: impl Into<Cow<'static, str>>,
        cost: Cost,
    ) -> Self {
        self.edit(|lines| {
            lines.every.entry(protocol).or_default().insert(name.into(), cost);
        })
    }

    /// The cost of operations without a line of their own.
    pub fn otherwise(self, cost: Cost) -> Self {
        self.edit(|lines| lines.otherwise = cost)
    }

    /// What an operation costs.
    #[must_use]
    pub fn cost_of(&self, operation: &Operation) -> Cost {
        let Lines { exact, every, otherwise } = &*self.0;
        let by_name = || every.get(operation.protocol())?.get(operation.name());
        exact.get(operation).or_else(by_name).copied().unwrap_or(*otherwise)
    }

    /// The highest cost in the table.
    #[must_use]
    pub fn highest(&self) -> Cost {
        let Lines { exact, every, otherwise } = &*self.0;
        let names = every.values().flat_map(HashMap::values);
        exact.values().chain(names).copied().fold(*otherwise, Cost::max)
    }

    fn edit(mut self, f: impl FnOnce(&mut Lines)) -> Self {
        f(Arc::make_mut(&mut self.0));
        self
    }
}

/// Where the cost of a request comes from.
#[derive(Clone)]
pub(crate) enum Costs<F> {
    Closure(F),
    One,
    Table(CostTable),
}

impl<F: Fn(&Operation) -> Cost> Costs<F> {
    pub(crate) fn cost(&self, request: &Parts) -> Cost {
        match self {
            Self::Closure(cost) => cost(&Operation::of(request)),
            Self::One => Cost::ONE,
            Self::Table(table) => table.cost_of(&Operation::of(request)),
        }
    }
}

impl<F> fmt::Debug for Costs<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closure(_) => f.write_str("Closure"),
            Self::One => f.write_str("One"),
            Self::Table(table) => f.debug_tuple("Table").field(table).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_exact_line_counts() {
        let table = CostTable::new()
            .every("http", "POST", Cost::new(3))
            .operation(Operation::http("POST", "/export"), Cost::new(50))
            .operation(Operation::http("GET", "/health"), Cost::FREE)
            .otherwise(Cost::new(2));
        for (name, operation, expected) in [
            ("exact", Operation::http("POST", "/export"), 50),
            ("of the name", Operation::http("POST", "/other"), 3),
            ("of the name without target", Operation::new("http", "POST"), 3),
            ("free", Operation::http("GET", "/health"), 0),
            ("otherwise", Operation::http("GET", "/"), 2),
            ("the same name of another protocol", Operation::new("rpc", "POST"), 2),
            ("names have case", Operation::http("post", "/export"), 2),
        ] {
            assert_eq!(table.cost_of(&operation), Cost::new(expected), "{name}");
        }
    }

    #[test]
    fn the_highest_cost_is_found_wherever_it_stands() {
        let table = CostTable::new();
        assert_eq!(table.highest(), Cost::ONE);
        let table = table.otherwise(Cost::new(2));
        assert_eq!(table.highest(), Cost::new(2));
        let table = table.every("rpc", "a", Cost::new(7)).every("rpc", "b", Cost::new(4));
        assert_eq!(table.highest(), Cost::new(7));
        let table = table.operation(Operation::new("rpc", "c"), Cost::new(9));
        assert_eq!(table.highest(), Cost::new(9));
    }

    #[test]
    fn of_two_lines_for_the_same_the_later_counts() {
        let table =
            CostTable::new().every("rpc", "a", Cost::new(7)).every("rpc", "a", Cost::new(4));
        assert_eq!(table.cost_of(&Operation::new("rpc", "a")), Cost::new(4));
    }
}

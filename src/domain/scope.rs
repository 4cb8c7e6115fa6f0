//! Scopes: what a role, a token or an OAuth client permits (rbac.md 1 to 8).
//!
//! Text becomes a [`RawScope`] (checked against the [`Catalogue`] of known names). [`expand()`] turns the raw scopes of
//! one bearer into [`Scopes`], the effective set that every question is asked of: sub-scopes added, `self` and the
//! shorthand filters resolved. Sets can be united and intersected. Who obtains which raw scopes, and what an endpoint
//! needs, is the business of [`crate::domain::access`].
//!
//! Scopes are worked out on every request, so names of standard scopes are static, equal filters are shared, and
//! look-ups are binary searches in short sorted lists.

mod catalogue;
mod coverage;
mod expand;
mod intersect;
mod parse;
mod standard;

pub use catalogue::{Base, Catalogue, CustomScope, CustomScopeError};
pub use coverage::{Coverage, Filters, Membership, Names, Scopes};
pub use expand::{ClientOwner, Owner, expand};
pub use parse::{Filter, RawScope, ScopeError};

#[cfg(test)]
mod tests;

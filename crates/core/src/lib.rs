#![doc = include_str!("../README.md")]

mod body;
mod challenge;
mod client_addr;
mod clock;
mod confirmation;
mod denial;
pub mod guard;
mod offered_schemes;
mod operation;
mod principal;
mod protected_resource;
mod render;
mod resource;
mod scope;
pub mod stack;
mod trail;

pub use self::{
    body::{FromBytes, MakeBody},
    challenge::{AuthScheme, Challenge},
    client_addr::{ClientAddr, ForwardedForError},
    clock::{Clock, ManualClock, SystemClock},
    confirmation::Confirmation,
    denial::{Denial, DenialKind, Reason},
    guard::{Check, Guard, GuardLayer},
    offered_schemes::OfferedSchemes,
    operation::Operation,
    principal::{Actor, Principal, PrincipalBuilder},
    protected_resource::ProtectedResource,
    render::{PlainRenderer, RenderDenial, is_grpc},
    resource::{InvalidResourceError, Resource},
    scope::{InvalidScopeError, ScopeSet, ScopeToken},
    stack::{AccessLayer, AccessStack},
    trail::{Trail, TrailNotes},
};

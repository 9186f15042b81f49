#![doc = include_str!("../README.md")]

mod body;
mod challenge;
mod client_addr;
mod clock;
mod confirmation;
mod denial;
mod endpoints;
pub mod guard;
mod offered_schemes;
mod operation;
mod origin;
mod path;
mod principal;
mod protected_resource;
mod render;
mod resource;
mod scope;
pub mod stack;
mod trail;

pub use self::{
    body::{FromBytes, MakeBody},
    challenge::{AuthScheme, Challenge, UnreadableValueError},
    client_addr::{ClientAddr, ForwardedForError},
    clock::{Clock, ManualClock, SystemClock},
    confirmation::Confirmation,
    denial::{Denial, DenialKind, Reason},
    endpoints::{Endpoints, EndpointsError},
    guard::{Check, Guard, GuardLayer},
    offered_schemes::OfferedSchemes,
    operation::Operation,
    origin::{InvalidOriginError, Origin},
    path::is_unambiguous_path,
    principal::{Actor, Principal, PrincipalBuilder},
    protected_resource::ProtectedResource,
    render::{PlainRenderer, RefusedInBody, RenderDenial, is_grpc},
    resource::{InvalidResourceError, Resource},
    scope::{InvalidScopeError, ScopeSet, ScopeToken},
    stack::{AccessLayer, AccessStack},
    trail::{FollowRequest, Trail, TrailNotes, WeakTrail, Withheld},
};

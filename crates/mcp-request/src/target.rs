//! Which methods are about something, and how they say so.

/// The parameter that names what a method is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// `params.name`, a tool or a prompt.
    Name,
    /// `params.ref.name` or `params.ref.uri`, whichever `params.ref.type` asks for.
    Reference,
    /// `params.taskId`.
    TaskId,
    /// `params.uri`, a resource.
    Uri,
}

impl Target {
    /// The target parameter of a method. `None` for methods without one, and for those that we do not
    /// know.
    pub(crate) fn of(method: &str) -> Option<Self> {
        Some(match method {
            "prompts/get" | "tools/call" => Self::Name,
            "completion/complete" => Self::Reference,
            "tasks/cancel" | "tasks/get" | "tasks/result" | "tasks/update" => Self::TaskId,
            "resources/directory/read"
            | "resources/read"
            | "resources/subscribe"
            | "resources/unsubscribe"
            | "skills/get" => Self::Uri,
            _ => return None,
        })
    }
}

/// Whether MCP demands `Mcp-Name` with the method: "`tools/call`, `resources/read`, `prompts/get`
/// requests", and by the tasks extension `tasks/get`, `tasks/update`, `tasks/cancel`.
pub(crate) fn requires_name_header(method: &str) -> bool {
    matches!(
        method,
        "prompts/get"
            | "resources/read"
            | "tasks/cancel"
            | "tasks/get"
            | "tasks/update"
            | "tools/call"
    )
}

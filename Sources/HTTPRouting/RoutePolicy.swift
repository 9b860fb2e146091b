import Access

/// What a route demands of a request and promises for its response, stated where the route is declared.
package struct RoutePolicy: Sendable {
    /// What the route's requests are counted under, with those of other routes of the same label.
    package var label: String
    /// What whoever calls must be allowed.
    package var access: RouteAccess
    /// What the route is to whoever audits it.
    package var audit = AuditClass.read
    /// Whether a reason may be demanded for it, of routes that are about no environment.
    package var wantsReason = false
    /// Which workers do it.
    package var lane = WorkerPool.Urgency.usual
    /// What bounds how often it is asked for.
    package var rate = RateClass.administration
    /// The content that it takes.
    package var content = Content.usual
    /// How long the response may take; nil for the usual time.
    package var responseTime: Duration?
    /// Whether it is long work, of which clients may be told how far it is.
    package var tellsProgress = false
    /// Whether it is answered also by a loop that is late, as health and emergencies are.
    package var isEssential = false
    /// Whether the addresses that the operator lists for it need no credential.
    package var isForListedAddresses = false
    /// Whether it looks at what callers show by itself, since it hands out what they show elsewhere.
    package var readsCredentials = false

    /// Whether pages of the origins that the operator lists may have a browser ask for it, and read the response.
    package var isForListedPages = false

    /// A policy for what only looks, on the usual workers.
    package init(_ label: String, _ access: RouteAccess) {
        self.label = label
        self.access = access
    }

    /// The same with changes.
    package func with(_ change: (inout RoutePolicy) -> Void) -> RoutePolicy {
        var policy = self
        change(&policy)
        return policy
    }

    /// What a request is to whoever wants to know later what happened.
    package enum AuditClass: Sendable {
        /// It asks for evaluations, health or the like.
        case none
        /// It looks at what administrators see.
        case read
        /// It looks at what is kept of secrets, of persons or of what happened: that somebody did is worth knowing.
        case watched
        /// It changes something that is stored under a name of its own.
        case change
        /// It does something that leaves no such thing behind, or more than can be told from that.
        case work
        /// Somebody proves who they are.
        case signIn
    }

    /// What bounds how often a route is asked for.
    package enum RateClass: Sendable {
        /// Nothing: health, and what must not wait.
        case none
        /// What all evaluations together may be, and a key's own rate.
        case evaluation
        /// What each caller may.
        case administration
    }

    /// How much content a route takes.
    package enum Content: Sendable {
        /// As much as the server's limit for all routes, in the time of all.
        case usual
        /// A file: so many bytes, which may be under way for so long.
        case upload(bytes: Int, time: Duration)
    }
}

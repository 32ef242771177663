//! What must hold in every world.

pub const MIN_VALID: &str = "no token is handed out with too little left";
pub const OVER_AND_ALIVE: &str =
    "a token that is over is handed out only while the server has just told that it lives";
pub const NO_LONG_GHOST: &str = "a ghost is handed out for no longer than its confirmation takes";
pub const OLDER_FIRST: &str = "no ghost is preferred to an older token that lives";
pub const PACE: &str = "a server that returns the same session is asked every five seconds";
pub const RETRY_AFTER: &str = "nothing is asked before the server wants to be asked";
pub const NO_ERROR: &str = "no caller sees an error while the held token is valid";
pub const ONE_KILL: &str = "under a lock a renewal kills once, and only what is over";
pub const NO_KILL: &str = "the policy that never kills does not kill";
pub const DEAD_SOON_OVER: &str =
    "under a lock a dead token is one that a sibling has renewed in its last seconds";
pub const NOT_AGAIN: &str = "a token that was refused is not handed out again";
pub const SAME_WARM: &str = "a warm call gets what a cold one would, and overlooks no work";
pub const IN_TIME: &str = "every caller is answered by its deadline";
pub const RECOVERS: &str = "two minutes after the last trouble everybody gets a session";

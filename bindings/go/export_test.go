package zelf

// For tests that no server can show.
var (
	OriginOf     = originOf
	CheckVersion = checkVersion
	InSeconds    = inSeconds
)

// Freed closes a session. The channel is closed when the session is free.
func Freed(session *Session) <-chan struct{} {
	_, freed := session.owner.close()
	return freed
}

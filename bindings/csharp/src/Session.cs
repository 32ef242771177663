using System;

namespace Zelf
{
    /// <summary>
    /// A session. It is immutable. Its texts come from the token, and are not verified. The token
    /// is no property, so that no serializer writes it.
    /// </summary>
    public sealed class Session : IDisposable
    {
        internal Session(SessionHandle handle)
        {
            Handle = handle;
        }

        internal SessionHandle Handle { get; }

        /// <summary>Returns the token, a secret.</summary>
        public string GetToken() => Text(Native.zelf_session_token);

        /// <summary>Returns the value of the Authorization header, a secret: "Bearer " and the token.</summary>
        public string GetAuthorization() => Text(Native.zelf_session_authorization);

        /// <summary>The session's id on the server, or null.</summary>
        public string Id => Text(Native.zelf_session_id);

        /// <summary>The identifier that the session belongs to, or null.</summary>
        public string Identifier => Text(Native.zelf_session_identifier);

        /// <summary>The domain that the session was made with, or null.</summary>
        public string Domain => Text(Native.zelf_session_domain);

        /// <summary>The tag name that the session was made with, or null.</summary>
        public string TagName => Text(Native.zelf_session_tag_name);

        /// <summary>The Ethereum address that the session was made with, or null.</summary>
        public string EthAddress => Text(Native.zelf_session_eth_address);

        /// <summary>When the session began, by the server's clock, or null.</summary>
        public DateTimeOffset? ActivatedAt => Time(Native.zelf_session_activated_at(Handle));

        /// <summary>When the session ends, by the server's clock. SecondsLeft needs no right clock.</summary>
        public DateTimeOffset? ExpiresAt => Time(Native.zelf_session_expires_at(Handle));

        /// <summary>How many whole seconds the session has left.</summary>
        public long SecondsLeft => Native.zelf_session_seconds_left(Handle);

        /// <summary>Frees the session, and wipes the token in the library. Strings in .NET stay.</summary>
        public void Dispose() => Handle.Dispose();

        /// <summary>Shows no token.</summary>
        public override string ToString()
        {
            try
            {
                return "Session of " + Identifier + ", " + SecondsLeft + " s left";
            }
            catch (ObjectDisposedException)
            {
                return "Session (disposed)";
            }
        }

        string Text(Func<SessionHandle, IntPtr> getter) => Zelf.Handle.ReadText(Handle, getter);

        // A token may hold any number. DateTimeOffset ends with the year 9999.
        static DateTimeOffset? Time(long seconds)
        {
            if (seconds == 0) return null;
            try
            {
                return DateTimeOffset.FromUnixTimeSeconds(seconds);
            }
            catch (ArgumentOutOfRangeException)
            {
                return seconds < 0 ? DateTimeOffset.MinValue : DateTimeOffset.MaxValue;
            }
        }
    }
}

namespace Zelf
{
    /// <summary>What to ask of a new session. Only what is set is sent.</summary>
    public sealed class SessionOptions
    {
        /// <summary>The unique identifier of the device. Always set one.</summary>
        public string Identifier { get; set; }

        /// <summary>The purpose of the session.</summary>
        public SessionType? Type { get; set; }

        /// <summary>Whether the session belongs to a browser extension.</summary>
        public bool? WebExtension { get; set; }

        /// <summary>The name service domain, such as "zelf".</summary>
        public string Domain { get; set; }

        /// <summary>A tag name, such as "alice.zelf".</summary>
        public string TagName { get; set; }

        /// <summary>An Ethereum address, which the server copies into the token.</summary>
        public string EthAddress { get; set; }

        /// <summary>Whether to end the server's session for the identifier and make a new one.</summary>
        public bool? KillSession { get; set; }

        /// <summary>Whether to confirm that a new session exists.</summary>
        public bool Confirm { get; set; }

        internal SessionOptionsHandle ToNative()
        {
            SessionOptionsHandle options = Native.zelf_session_options_new();
            Native.zelf_session_options_set_identifier(options, Library.Text(Identifier, nameof(Identifier)));
            if (Type != null) Native.zelf_session_options_set_type(options, (int)Type.Value);
            if (WebExtension != null) Native.zelf_session_options_set_web_extension(options, WebExtension.Value);
            Native.zelf_session_options_set_domain(options, Library.Text(Domain, nameof(Domain)));
            Native.zelf_session_options_set_tag_name(options, Library.Text(TagName, nameof(TagName)));
            Native.zelf_session_options_set_eth_address(options, Library.Text(EthAddress, nameof(EthAddress)));
            if (KillSession != null) Native.zelf_session_options_set_kill_session(options, KillSession.Value);
            Native.zelf_session_options_set_confirm(options, Confirm);
            return options;
        }
    }
}

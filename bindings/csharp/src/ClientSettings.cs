using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Zelf
{
    /// <summary>The settings of a client. null and 0 are the default of each.</summary>
    public sealed class ClientSettings
    {
        static readonly LogCallback OnLog = HandleLog;
        static readonly DestroyCallback OnDestroy = HandleDestroy;

        /// <summary>The address of the API: "https://host", with an optional port and path.</summary>
        public string BaseUrl { get; set; }

        /// <summary>The Origin header, which the server requires. Default: the origin of BaseUrl.</summary>
        public string Origin { get; set; }

        /// <summary>The User-Agent header.</summary>
        public string UserAgent { get; set; }

        /// <summary>The limit of a whole call in milliseconds. Default: 15000.</summary>
        public int TimeoutMs { get; set; }

        /// <summary>The limit of making one connection in milliseconds. Default: 5000.</summary>
        public int ConnectTimeoutMs { get; set; }

        /// <summary>How many attempts a call may make. Default: 3.</summary>
        public int MaxAttempts { get; set; }

        /// <summary>A PEM file with the certificates to trust, instead of those of the system.</summary>
        public string CaFile { get; set; }

        /// <summary>The certificates to trust in PEM form.</summary>
        public string CaPem { get; set; }

        /// <summary>Hashes of the server's public keys: SHA-256 in base64.</summary>
        public IList<string> Pins { get; } = new List<string>();

        /// <summary>The URL of a proxy.</summary>
        public string Proxy { get; set; }

        /// <summary>Whether to take the proxy from the environment.</summary>
        public bool ProxyFromEnv { get; set; }

        /// <summary>
        /// Receives log messages, on any thread. A message never contains a token. In it, methods
        /// that wait for the server throw InvalidArgumentException. It must not wait for a task of
        /// a client either.
        /// </summary>
        public Action<LogLevel, string> Log { get; set; }

        /// <summary>The most detailed level to report.</summary>
        public LogLevel LogLevel { get; set; } = LogLevel.Info;

        internal ConfigHandle ToNative()
        {
            ConfigHandle config = Native.zelf_config_new();
            Native.zelf_config_set_base_url(config, Library.Text(BaseUrl, nameof(BaseUrl)));
            Native.zelf_config_set_origin(config, Library.Text(Origin, nameof(Origin)));
            Native.zelf_config_set_user_agent(config, Library.Text(UserAgent, nameof(UserAgent)));
            Native.zelf_config_set_timeout_ms(config, Library.Unsigned(TimeoutMs, nameof(TimeoutMs)));
            Native.zelf_config_set_connect_timeout_ms(
                config, Library.Unsigned(ConnectTimeoutMs, nameof(ConnectTimeoutMs)));
            Native.zelf_config_set_max_attempts(config, Library.Unsigned(MaxAttempts, nameof(MaxAttempts)));
            Native.zelf_config_set_ca_file(config, Library.Text(CaFile, nameof(CaFile)));
            byte[] pem = Library.Text(CaPem, nameof(CaPem));
            if (pem != null) Native.zelf_config_set_ca_pem(config, pem, (UIntPtr)(pem.Length - 1));
            foreach (string pin in Pins) Native.zelf_config_add_pin(config, Library.Text(pin, nameof(Pins)));
            Native.zelf_config_set_proxy(config, Library.Text(Proxy, nameof(Proxy)));
            Native.zelf_config_set_proxy_from_env(config, ProxyFromEnv);
            if (Log != null)
            {
                IntPtr log = GCHandle.ToIntPtr(GCHandle.Alloc(Log));
                Native.zelf_config_set_log_callback(config, OnLog, log, OnDestroy, (int)LogLevel);
            }
            return config;
        }

        static void HandleLog(int level, IntPtr message, IntPtr userData)
        {
            try
            {
                using (new Callback())
                    ((Action<LogLevel, string>)GCHandle.FromIntPtr(userData).Target)(
                        (LogLevel)level, Library.Text(message));
            }
            catch (Exception)
            {
                // No exception may leave a callback. A log that fails is no reason to end.
            }
        }

        internal static void HandleDestroy(IntPtr userData)
        {
            GCHandle.FromIntPtr(userData).Free();
        }
    }
}

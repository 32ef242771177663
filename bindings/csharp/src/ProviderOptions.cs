using System;
using System.Runtime.InteropServices;

namespace Zelf
{
    /// <summary>How a provider keeps its session.</summary>
    public sealed class ProviderOptions
    {
        static readonly RenewedCallback OnRenewed = HandleRenewed;
        static readonly DestroyCallback OnDestroy = ClientSettings.HandleDestroy;

        /// <summary>How many seconds a session must have left to be handed out. Default: 5.</summary>
        public int? MinValidS { get; set; }

        /// <summary>When to renew.</summary>
        public Renewal Renewal { get; set; }

        /// <summary>Whether a thread of the library renews ahead of time.</summary>
        public bool Background { get; set; }

        /// <summary>Where the session is stored, so that processes share it.</summary>
        public string Directory { get; set; }

        /// <summary>
        /// Receives each new session, on any thread. It is disposed of after the call. In it,
        /// methods that wait for the server throw InvalidArgumentException. It must not wait for
        /// a task of a client either.
        /// </summary>
        public Action<Session> Renewed { get; set; }

        internal ProviderOptionsHandle ToNative()
        {
            ProviderOptionsHandle options = Native.zelf_provider_options_new();
            if (MinValidS != null)
                Native.zelf_provider_options_set_min_valid_s(
                    options, Library.Unsigned(MinValidS.Value, nameof(MinValidS)));
            Native.zelf_provider_options_set_renewal(options, (int)Renewal);
            Native.zelf_provider_options_set_background(options, Background);
            Native.zelf_provider_options_set_directory(options, Library.Text(Directory, nameof(Directory)));
            if (Renewed != null)
            {
                IntPtr renewed = GCHandle.ToIntPtr(GCHandle.Alloc(Renewed));
                Native.zelf_provider_options_set_renewed_callback(options, OnRenewed, renewed, OnDestroy);
            }
            return options;
        }

        static void HandleRenewed(IntPtr pointer, IntPtr userData)
        {
            Session session = new Session(new SessionHandle(pointer, false));
            try
            {
                using (new Callback())
                    ((Action<Session>)GCHandle.FromIntPtr(userData).Target)(session);
            }
            catch (Exception)
            {
                // No exception may leave a callback. The provider has its session anyway.
            }
            // The library may free it then.
            session.Handle.Return();
        }
    }
}

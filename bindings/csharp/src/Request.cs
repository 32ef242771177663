using System;
using System.Collections.Generic;

namespace Zelf
{
    /// <summary>A request to a route of the server. It can be sent any number of times.</summary>
    public sealed class Request
    {
        /// <summary>Makes a request.</summary>
        /// <param name="method">an HTTP method such as "GET"</param>
        /// <param name="target">path and query, percent-encoded</param>
        public Request(string method, string target)
        {
            Method = method ?? throw new ArgumentNullException(nameof(method));
            Target = target ?? throw new ArgumentNullException(nameof(target));
        }

        /// <summary>The HTTP method.</summary>
        public string Method { get; }

        /// <summary>Path and query.</summary>
        public string Target { get; }

        /// <summary>Headers beside those that the library sets.</summary>
        public IDictionary<string, string> Headers { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

        /// <summary>The body, or null.</summary>
        public byte[] Body { get; set; }

        /// <summary>The Content-Type header of the body.</summary>
        public string ContentType { get; set; }

        /// <summary>The limit of the whole call in milliseconds. Default: 30000.</summary>
        public int TimeoutMs { get; set; }

        /// <summary>The limit of the response's body in bytes. Default: 8 MiB.</summary>
        public long MaxResponseBytes { get; set; }

        /// <summary>Whether the server may carry the request out more than once. Default: true for GET and HEAD.</summary>
        public bool? Repeatable { get; set; }

        /// <summary>Shows no header and no body.</summary>
        public override string ToString() => Method + " " + Target;

        internal RequestHandle ToNative()
        {
            if (MaxResponseBytes < 0) throw new ArgumentOutOfRangeException(nameof(MaxResponseBytes));
            RequestHandle request = Native.zelf_request_new(
                Library.Text(Method, nameof(Method)), Library.Text(Target, nameof(Target)));
            foreach (KeyValuePair<string, string> header in Headers)
                Native.zelf_request_set_header(
                    request, Library.Text(header.Key, nameof(Headers)), Library.Text(header.Value, nameof(Headers)));
            if (Body != null)
                Native.zelf_request_set_body(
                    // The address of an empty array is no address. Length 0 counts.
                    request, Body.Length == 0 ? new byte[1] : Body, (UIntPtr)Body.Length,
                    Library.Text(ContentType, nameof(ContentType)));
            Native.zelf_request_set_timeout_ms(request, Library.Unsigned(TimeoutMs, nameof(TimeoutMs)));
            Native.zelf_request_set_max_response_bytes(request, (UIntPtr)(ulong)MaxResponseBytes);
            if (Repeatable != null) Native.zelf_request_set_repeatable(request, Repeatable.Value);
            return request;
        }
    }
}

using System;
using System.Text;

namespace Zelf
{
    /// <summary>A complete answer of the server, with any HTTP status.</summary>
    public sealed class Response : IDisposable
    {
        readonly ResponseHandle handle;

        internal Response(ResponseHandle handle)
        {
            this.handle = handle;
        }

        /// <summary>The HTTP status, such as 200.</summary>
        public int HttpStatus => Native.zelf_response_http_status(handle);

        /// <summary>Whether the HTTP status is one of 200 to 299.</summary>
        public bool IsSuccess => HttpStatus >= 200 && HttpStatus <= 299;

        /// <summary>The server's words in an answer with status 400 or more, or null.</summary>
        public string ServerMessage => Handle.ReadText(handle, Native.zelf_response_server_message);

        /// <summary>Returns the first header with this name, in any case, or null.</summary>
        public string GetHeader(string name)
        {
            byte[] text = Library.Text(name, nameof(name));
            return Handle.ReadText(handle, response => Native.zelf_response_header(response, text));
        }

        /// <summary>Returns a copy of the body.</summary>
        public byte[] GetBody()
        {
            UIntPtr length = UIntPtr.Zero;
            return Handle.Read(handle, response => Native.zelf_response_body(response, out length),
                body => Library.Bytes(body, (int)length));
        }

        /// <summary>Returns the body as text in UTF-8.</summary>
        public string GetText() => Encoding.UTF8.GetString(GetBody());

        /// <summary>Wipes and frees the response.</summary>
        public void Dispose() => handle.Dispose();

        /// <summary>Shows no body.</summary>
        public override string ToString()
        {
            try
            {
                return "Response " + HttpStatus;
            }
            catch (ObjectDisposedException)
            {
                return "Response (disposed)";
            }
        }
    }
}

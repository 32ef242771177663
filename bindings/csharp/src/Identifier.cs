using System;
using System.Text;

namespace Zelf
{
    /// <summary>Makes identifiers of devices. Keep them: to the server, another identifier is another device.</summary>
    public static class Identifier
    {
        /// <summary>Makes a random identifier.</summary>
        public static string Random()
        {
            byte[] text = new byte[Constants.ZELF_IDENTIFIER_SIZE];
            return Checked(Native.zelf_identifier_random(text, (UIntPtr)text.Length), text);
        }

        /// <summary>
        /// Derives an identifier from a device id, such as a serial number. The same device id
        /// always gives the same identifier. This takes some milliseconds.
        /// </summary>
        public static string Derive(string deviceId)
        {
            byte[] text = new byte[Constants.ZELF_IDENTIFIER_SIZE];
            return Checked(
                Native.zelf_identifier_derive(Library.Text(deviceId, nameof(deviceId)), text, (UIntPtr)text.Length),
                text);
        }

        static string Checked(int status, byte[] text)
        {
            if (status != (int)Status.Ok) throw ZelfException.Of((Status)status);
            return Encoding.ASCII.GetString(text, 0, text.Length - 1);
        }
    }
}

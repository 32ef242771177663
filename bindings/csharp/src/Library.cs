using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Zelf
{
    /// <summary>The library that is loaded.</summary>
    public static class Library
    {
        static readonly Encoding Utf8 = new UTF8Encoding(false, true);
        static bool isChecked;

        /// <summary>Its version, such as "0.1.0".</summary>
        public static string Version => Text(Native.zelf_version());

        // Throws if the library is older than the table of functions.
        internal static void Check()
        {
            if (isChecked) return;
            System.Version found = System.Version.Parse(Version);
            if (found < new Version(Constants.ZELF_VERSION_MAJOR, Constants.ZELF_VERSION_MINOR))
                throw new DllNotFoundException("libzelf " + Version + " is too old: this assembly needs "
                    + Constants.ZELF_VERSION_MAJOR + "." + Constants.ZELF_VERSION_MINOR);
            isChecked = true;
        }

        // Returns a text of the library, or null. A server may have written it: bytes that are
        // not UTF-8 become U+FFFD.
        internal static string Text(IntPtr pointer)
        {
            if (pointer == IntPtr.Zero) return null;
            int length = 0;
            while (Marshal.ReadByte(pointer, length) != 0) length++;
            return Encoding.UTF8.GetString(Bytes(pointer, length));
        }

        internal static byte[] Bytes(IntPtr pointer, int length)
        {
            byte[] bytes = new byte[length];
            Marshal.Copy(pointer, bytes, 0, length);
            return bytes;
        }

        // Returns a text for the library: UTF-8 with a NUL at its end.
        internal static byte[] Text(string value, string name)
        {
            if (value == null) return null;
            if (value.IndexOf('\0') >= 0) throw new ArgumentException("it contains a NUL", name);
            try
            {
                return Utf8.GetBytes(value + "\0");
            }
            catch (EncoderFallbackException error)
            {
                throw new ArgumentException("it contains half of a surrogate pair", name, error);
            }
        }

        internal static uint Unsigned(int value, string name)
        {
            if (value < 0) throw new ArgumentOutOfRangeException(name);
            return (uint)value;
        }
    }
}

using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace StickyWs.Tls;

/// <summary>
/// Loads libssl by the names that the runtime's own shim uses, so that the process has one OpenSSL and certificates' handles are valid in it.
/// Nothing is loaded before somebody asks.
/// </summary>
internal static class TlsLibrary
{
    public const string Name = "libssl.so.3";

    private const string Override = "CLR_OPENSSL_VERSION_OVERRIDE";
    private const int LongestOverride = 32;
    private const int MajorVersion = 3;

    private static readonly Lazy<string?> Answer = new(Load);
    private static nint _handle;

    /// <summary>Why OpenSSL 3 cannot be called; <see langword="null"/> if it can.</summary>
    public static string? Refusal => Answer.Value;

    private static string? Load()
    {
        if (!OperatingSystem.IsLinux()) return "OpenSSL is used on Linux only";
        // The runtime's shim aborts the process where it finds no library: look first.
        if (!TryLoad()) return "libssl 3 was not found";
        NativeLibrary.SetDllImportResolver(typeof(TlsLibrary).Assembly, Resolve);
        try
        {
            var (ours, theirs) = ((long)OpenSsl.OpenSSL_version_num(), SafeEvpPKeyHandle.OpenSslVersion);
            if (ours >> 28 != MajorVersion) return $"OpenSSL {Version(ours)} is not 3.x";
            return ours == theirs ? null : $"the runtime uses OpenSSL {Version(theirs)}, but {Version(ours)} was found";
        }
        catch (Exception e) when (e is EntryPointNotFoundException or PlatformNotSupportedException)
        {
            return e.Message;
        }
    }

    private static bool TryLoad()
    {
        var version = Environment.GetEnvironmentVariable(Override);
        var isNamed = !string.IsNullOrEmpty(version) && version.Length <= LongestOverride;
        return (isNamed && NativeLibrary.TryLoad("libssl.so." + version, out _handle)) || NativeLibrary.TryLoad(Name, out _handle);
    }

    // Zero leaves the name to the runtime, as for libc.
    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == Name ? _handle : 0;

    // MNN00PP0 in hexadecimal, since 3.0 (OPENSSL_VERSION_NUMBER(3)).
    private static string Version(long number) => string.Create(CultureInfo.InvariantCulture, $"{number >> 28}.{(number >> 20) & 0xff}.{(number >> 4) & 0xff}");
}

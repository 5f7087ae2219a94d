using System.ComponentModel;
using System.Runtime.InteropServices;

namespace StickyWs.Benchmarks.Native;

/// <summary>What a call answered: a number, or one of the few errors that are expected here. All others are thrown.</summary>
internal static class Kernel
{
    public const int Interrupted = 4;
    public const int TryAgain = 11;
    public const int BrokenPipe = 32;
    public const int ConnectionReset = 104;
    public const int InProgress = 115;

    public static int Error => Marshal.GetLastPInvokeError();

    public static int Checked(int result, string what) => result >= 0 ? result : throw Failed(what);

    public static IOException Failed(string what)
    {
        var cause = new Win32Exception(Error);
        return new IOException($"{what}: {cause.Message}", cause);
    }
}

using System.ComponentModel;
using System.Runtime.InteropServices;

namespace StickyWs.TestKit;

/// <summary>Has the kernel refuse io_uring to this process from now on (seccomp(2)), as the profile does that containers have by default. There is no way back.</summary>
public static unsafe class SystemCallFilter
{
    private const int SetNoNewPrivileges = 38;
    private const nint SetFilter = 1;
    private const nint OfAllThreads = 1;
    private const nint FilterOnX64 = 317;
    private const nint FilterOnArm64 = 277;

    // Of the classic packet filter (linux/filter.h): load a word, jump if it equals, return.
    private const ushort Load = 0x20;
    private const ushort JumpIfEqual = 0x15;
    private const ushort Return = 0x06;

    private const uint UringSetUp = 425;
    private const uint Allow = 0x7FFF0000;
    private const uint NotPermitted = 0x00050000 | 1;

    /// <exception cref="Win32Exception">The kernel has no such filters, or refuses this one.</exception>
    public static void RefuseUring()
    {
        // The number of the call is the first word of what the filter sees.
        var steps = stackalloc ulong[] { Step(Load, 0), Step(JumpIfEqual, UringSetUp, skipUnless: 1), Step(Return, NotPermitted), Step(Return, Allow) };
        var program = new FilterProgram { Length = 4, Steps = steps };
        var number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? FilterOnArm64 : FilterOnX64;
        if (Control(SetNoNewPrivileges, 1, 0, 0, 0) < 0 || SystemCall(number, SetFilter, OfAllThreads, &program) != 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    [DllImport("libc", EntryPoint = "prctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Control(int option, nint second, nint third, nint fourth, nint fifth);

    [DllImport("libc", EntryPoint = "syscall", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint SystemCall(nint number, nint operation, nint flags, FilterProgram* program);

    // As struct sock_filter, in the byte order of both architectures.
    private static ulong Step(ushort code, uint operand, byte skipUnless = 0) => code | ((ulong)skipUnless << 24) | ((ulong)operand << 32);

    private struct FilterProgram
    {
        public ushort Length;
        public ulong* Steps;
    }
}

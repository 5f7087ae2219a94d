using System.ComponentModel;
using System.Runtime.InteropServices;

namespace StickyWs.TestKit;

/// <summary>Has the kernel refuse calls to this process from now on (seccomp(2)). There is no way back.</summary>
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

    // Where the filter sees the number of the call, and the lower half of its second argument on a machine of little endian (struct seccomp_data).
    private const uint Number = 0;
    private const uint SecondArgument = 24;

    private const uint UringSetUp = 425;
    private const uint FileControlOnX64 = 72;
    private const uint FileControlOnArm64 = 25;
    private const uint SetPipeSize = 1031;
    private const uint GetPipeSize = 1032;
    private const uint Allow = 0x7FFF0000;
    private const uint NotPermitted = 0x00050000 | 1;

    private static bool IsArm64 => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>Refuses io_uring, as the profile does that containers have by default.</summary>
    /// <exception cref="Win32Exception">The kernel has no such filters, or refuses this one.</exception>
    public static void RefuseUring()
        => Install([Step(Load, Number), Step(JumpIfEqual, UringSetUp, skipUnless: 1), Step(Return, NotPermitted), Step(Return, Allow)]);

    /// <summary>Refuses to enlarge pipes, as the kernel does past a user's share of pages (pipe(7)): they stay as they are made.</summary>
    /// <exception cref="Win32Exception">The kernel has no such filters, or refuses this one.</exception>
    public static void RefuseLargePipes() => RefuseFileControl(SetPipeSize);

    /// <summary>Refuses to tell how large a pipe is, besides.</summary>
    /// <inheritdoc cref="RefuseLargePipes"/>
    public static void RefusePipeSizes()
    {
        RefuseLargePipes();
        RefuseFileControl(GetPipeSize);
    }

    private static void RefuseFileControl(uint command) => Install(
    [
        Step(Load, Number), Step(JumpIfEqual, IsArm64 ? FileControlOnArm64 : FileControlOnX64, skipUnless: 3),
        Step(Load, SecondArgument), Step(JumpIfEqual, command, skipUnless: 1), Step(Return, NotPermitted), Step(Return, Allow),
    ]);

    private static void Install(ReadOnlySpan<ulong> program)
    {
        fixed (ulong* steps = program) Install(new FilterProgram { Length = (ushort)program.Length, Steps = steps });
    }

    private static void Install(FilterProgram program)
    {
        var number = IsArm64 ? FilterOnArm64 : FilterOnX64;
        if (Control(SetNoNewPrivileges, 1, 0, 0, 0) < 0 || SystemCall(number, SetFilter, OfAllThreads, &program) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
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

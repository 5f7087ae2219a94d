using StickyWs.Configuration;
using StickyWs.Kernel;
using StickyWs.Reactors;

namespace StickyWs.Tests.Reactors;

/// <summary>A reactor of the kind that a test is for; the test is skipped where the system has none.</summary>
internal static class ReactorKind
{
    /// <param name="mode">On which interface of the kernel.</param>
    /// <param name="onFailure">Is told of defects.</param>
    /// <param name="mostPipes">For splicing.</param>
    /// <param name="isOlder">As on a kernel before Linux 6.17, which sets a receive no limit.</param>
    /// <param name="time">The clock.</param>
    public static SocketReactor Create(ReactorMode mode, Action<Exception> onFailure, int mostPipes = 256, bool isOlder = false, TimeProvider? time = null)
    {
        SkipUnlessThere(mode);
        return mode == ReactorMode.IoUring ? new UringReactor(0, onFailure, mostPipes: mostPipes, limitsReceives: !isOlder, time: time)
            : new EpollReactor(0, onFailure, mostPipes, time: time);
    }

    /// <summary>One on io_uring whose resources are scarce.</summary>
    public static UringReactor CreateScarce(Action<Exception> onFailure, int submissions = 1024, int completions = 4096, int buffers = 256)
    {
        SkipUnlessThere(ReactorMode.IoUring);
        return new UringReactor(0, onFailure, submissions, completions, buffers);
    }

    public static void SkipUnlessThere(ReactorMode mode)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The raw lane needs Linux.");
        if (mode == ReactorMode.IoUring) Assert.SkipWhen(UringProbe.FirstRefusal() is not null, $"There is no io_uring here: {UringProbe.FirstRefusal()}");
    }

    /// <summary>No buffer and no operation of the kernel may be left when a reactor has stopped.</summary>
    public static void AssertNothingIsInUse(SocketReactor reactor)
    {
        if (reactor is UringReactor uring) Assert.Equal((0, 0), (uring.BuffersInUse, uring.Operations));
    }
}

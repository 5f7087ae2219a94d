using StickyWs.Configuration;
using StickyWs.Kernel;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;

namespace StickyWs.Tests.Kernel;

/// <summary>The ring itself and the question whether there is one.</summary>
[Collection(nameof(Alone))]
public sealed class UringTests
{
    [Fact]
    public async Task Probe_WhereThereIsARing_SaysSoEachTimeAndKeepsNothing()
    {
        ReactorKind.SkipUnlessThere(ReactorMode.IoUring);
        var (before, described) = (Descriptors.Count(), Descriptors.Describe());

        for (var i = 0; i < 20; i++) Assert.Null(UringProbe.FirstRefusal());

        await Descriptors.AssertNoMoreThanAsync(before, described);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1 << 20, 1 << 21)]
    [InlineData(8, 4)]
    public async Task Ring_OfASizeThatTheKernelRefuses_ThrowsAndKeepsNothing(int submissions, int completions)
    {
        ReactorKind.SkipUnlessThere(ReactorMode.IoUring);
        var (before, described) = (Descriptors.Count(), Descriptors.Describe());

        for (var i = 0; i < 20; i++)
        {
            var failure = Assert.Throws<IOException>(() => new Uring((uint)submissions, (uint)completions));
            Assert.Equal("io_uring_setup: EINVAL", failure.Message);
        }

        await Descriptors.AssertNoMoreThanAsync(before, described);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(1 << 16)]
    public async Task Reactor_OfBuffersThatTheKernelRefuses_ThrowsAndKeepsNothing(int buffers)
    {
        ReactorKind.SkipUnlessThere(ReactorMode.IoUring);
        var (before, described) = (Descriptors.Count(), Descriptors.Describe());

        for (var i = 0; i < 20; i++)
        {
            var failure = Assert.Throws<IOException>(() => new UringReactor(0, _ => { }, buffers: buffers));
            Assert.Equal("io_uring_register: EINVAL", failure.Message);
        }

        await Descriptors.AssertNoMoreThanAsync(before, described);
    }

    [Fact]
    public void Completions_ForWhichThereIsNoRoom_ComeLater()
    {
        ReactorKind.SkipUnlessThere(ReactorMode.IoUring);
        using var ring = new Uring(2, 4);
        ring.Enable();
        for (ulong i = 0; i < 20; i++) ring.Next().Data = i;
        ring.Enter(0, 0);
        Assert.True(ring.HasSubmitted(ring.Position));
        Assert.True(ring.HasOverflown);

        var got = new List<ulong>();
        for (var turn = 0; turn < 20; turn++)
        {
            while (ring.Ready > 0) got.Add(ring.Take().Data);
            ring.Enter(0, 0);
        }

        Assert.False(ring.HasOverflown);
        Assert.Equal(Enumerable.Range(0, 20).Select(i => (ulong)i), got);
    }

    [Fact]
    public void Enter_WithoutACompletion_ComesBackAfterItsTime()
    {
        ReactorKind.SkipUnlessThere(ReactorMode.IoUring);
        using var ring = new Uring(2, 4);
        ring.Enable();

        ring.Enter(1, 1000);

        Assert.Equal(0u, ring.Ready);
    }
}

using StickyWs.Configuration;
using StickyWs.Reactors;
using StickyWs.TestKit;

namespace StickyWs.Tests.Reactors;

/// <summary>What takes long is done beside the reactor, in order, and does not keep the reactor from its sockets.</summary>
public sealed class AsideThreadTests : IDisposable
{
    private readonly List<Exception> _failures = [];
    private readonly SocketReactor _reactor;

    public AsideThreadTests()
    {
        _reactor = ReactorKind.Create(ReactorMode.Epoll, _failures.Add);
        _reactor.Start();
    }

    public void Dispose() => _reactor.Dispose();

    [Fact]
    public async Task ReactorGoesOn_WhileAStepIsDone()
    {
        var (hasBegun, mayEnd, reactor) = (Source(), Source(), Source());
        _reactor.Aside.Run(() =>
        {
            hasBegun.SetResult();
            mayEnd.Task.Wait();
        });
        await hasBegun.Task.WaitAsync(Wait.Token());

        _reactor.Run(reactor.SetResult);

        await reactor.Task.WaitAsync(Wait.Token());
        mayEnd.SetResult();
    }

    [Fact]
    public async Task Work_IsDoneInOrder_OnOneThreadThatIsNotTheReactors()
    {
        var done = new List<(int Number, Thread Thread)>();
        var last = Source();
        for (var i = 0; i < 100; i++)
        {
            var number = i;
            _reactor.Aside.Run(() => done.Add((number, Thread.CurrentThread)));
        }

        _reactor.Aside.Run(last.SetResult);
        await last.Task.WaitAsync(Wait.Token());

        Assert.Equal(Enumerable.Range(0, 100), done.Select(one => one.Number));
        var thread = Assert.Single(done.Select(one => one.Thread).Distinct());
        Assert.Equal((true, "StickyWs reactor 0, aside"), (thread.IsBackground, thread.Name));
    }

    [Fact]
    public async Task Switch_GoesBehindWhatWaits_EvenFromTheThreadItself()
    {
        var order = new List<string>();
        var waits = Source();

        await _reactor.Aside.SwitchTo();
        _reactor.Aside.Run(() => order.Add("other"));
        await _reactor.Aside.SwitchTo();
        order.Add("self");
        _reactor.Aside.Run(waits.SetResult);
        await waits.Task.WaitAsync(Wait.Token());

        Assert.Equal(["other", "self"], order);
    }

    // The kernel's own word for it: field 19 of /proc/self/task/<id>/stat is the niceness.
    [Fact]
    public async Task Kernel_PrefersTheReactor()
    {
        var aside = await OnAsync(work => _reactor.Aside.Run(work));
        var reactor = await OnAsync(_reactor.Run);

        Assert.Equal(AsideThread.Niceness, aside - reactor);

        static async Task<int> OnAsync(Action<Action> run)
        {
            var niceness = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
            run(() => niceness.SetResult(int.Parse(File.ReadAllText("/proc/thread-self/stat").Split(") ")[^1].Split(' ')[16], null)));
            return await niceness.Task.WaitAsync(Wait.Token());
        }
    }

    // Backends are blamed for what their handshakes wait; and whoever has much of either to do must not keep the other out.
    [Fact]
    public async Task WhatGoesFirst_GoesFirst_AndLeavesEveryFifthTurnToOthers()
    {
        var (hasBegun, mayEnd, last) = (Source(), Source(), Source());
        var order = new List<char>();
        _reactor.Aside.Run(() =>
        {
            hasBegun.SetResult();
            mayEnd.Task.Wait();
        });
        await hasBegun.Task.WaitAsync(Wait.Token());
        for (var i = 0; i < 3; i++) _reactor.Aside.Run(() => order.Add('c'));
        for (var i = 0; i < 10; i++) _reactor.Aside.Run(() => order.Add('b'), isSooner: true);
        _reactor.Aside.Run(last.SetResult);

        mayEnd.SetResult();
        await last.Task.WaitAsync(Wait.Token());

        Assert.Equal("bbbbcbbbbcbbc", new string([.. order]));
    }

    [Fact]
    public async Task WithoutAThread_WorkIsDoneByTheCaller_AndTheNextTriesAgain()
    {
        var (starts, last) = (0, Source());
        var aside = new AsideThread(_reactor, thread =>
        {
            if (++starts < 3) throw new InsufficientMemoryException("no thread left");
            thread.UnsafeStart();
        });
        var done = new List<Thread>();

        aside.Run(() => done.Add(Thread.CurrentThread));
        aside.Run(() => done.Add(Thread.CurrentThread));
        Assert.Equal([Thread.CurrentThread, Thread.CurrentThread], done);
        aside.Run(() => done.Add(Thread.CurrentThread));
        aside.Run(last.SetResult);
        await last.Task.WaitAsync(Wait.Token());
        aside.End();

        Assert.Equal("StickyWs reactor 0, aside", done[2].Name);
        Assert.IsType<InsufficientMemoryException>(Assert.Single(_failures));
    }

    [Fact]
    public async Task WhatFails_IsReported_AndEndsNothing()
    {
        var last = Source();
        var failure = new InvalidOperationException();

        _reactor.Aside.Run(() => throw failure);
        _reactor.Aside.Run(last.SetResult);
        await last.Task.WaitAsync(Wait.Token());

        Assert.Same(failure, Assert.Single(_failures));
    }

    [Fact]
    public async Task EndOfTheReactor_LosesNoWork()
    {
        var (hasBegun, mayEnd, queued, late) = (Source(), Source(), Source(), false);
        Thread? thread = null;
        _reactor.Aside.Run(() =>
        {
            thread = Thread.CurrentThread;
            hasBegun.SetResult();
            mayEnd.Task.Wait();
        });
        _reactor.Aside.Run(queued.SetResult);
        await hasBegun.Task.WaitAsync(Wait.Token());

        _reactor.Dispose();
        _reactor.Aside.Run(() => late = true);
        Assert.True(late);
        mayEnd.SetResult();
        await queued.Task.WaitAsync(Wait.Token());

        Assert.True(thread!.Join(Wait.Bound));
    }

    private static TaskCompletionSource Source() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

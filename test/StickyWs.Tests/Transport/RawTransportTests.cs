using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using StickyWs.Configuration;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Tests.Tunnels;
using StickyWs.Transport;

namespace StickyWs.Tests.Transport;

/// <summary>The pipes of a connection that has become an ordinary one.</summary>
public abstract class RawTransportTests : IAsyncDisposable
{
    private readonly RelayRig _rig;
    private readonly LogRecorder _log = new();
    private readonly Wire _peer;
    private readonly int _fd;
    private ChannelSettings? _settings;
    private RawTransport? _transport;

    protected RawTransportTests(ReactorMode mode)
    {
        _rig = new RelayRig(mode);
        var (outer, fd) = _rig.Connect();
        _fd = fd;
        _peer = new Wire(outer, new NetworkStream(outer, ownsSocket: true));
    }

    public async ValueTask DisposeAsync()
    {
        _transport?.Abort(new ConnectionAbortedException());
        if (_transport is not null) await _transport.DisposeAsync().AsTask().WaitAsync(Wait.Bound);
        await _rig.DisposeAsync();
        await _peer.DisposeAsync();
        _settings?.Dispose();
    }

    [Fact]
    public async Task Dispose_SendsAllThatWasWrittenAndEnds()
    {
        var transport = Open(sockets => sockets.MaxWriteBufferSize = null);
        var bytes = new byte[4_000_000];
        new Content(1).Write(bytes, 0);
        await transport.Output.WriteAsync(bytes, Wait.Token());

        var getting = PairRelayTests.AssertGetsAsync(_peer, seed: 1, bytes.Length);
        await transport.DisposeAsync().AsTask().WaitAsync(Wait.Bound);

        await getting;
    }

    [Fact]
    public async Task Closed_FiresWithAFinAndBytesMayStillBeWritten()
    {
        var transport = Open();
        var closed = Closed(transport);

        await _peer.FinishAsync();
        await closed.WaitAsync(Wait.Bound);

        await transport.Output.WriteAsync("still here"u8.ToArray(), Wait.Token());
        Assert.Equal("still here", await _peer.ReadTextAsync(10));
        Assert.True((await transport.Input.ReadAsync(Wait.Token())).IsCompleted);
    }

    [Fact]
    public async Task Closed_FiresWithABreak_WhichReadersAreTold()
    {
        var transport = Open();
        var closed = Closed(transport);

        _peer.Reset();

        await closed.WaitAsync(Wait.Bound);
        await Assert.ThrowsAsync<ConnectionResetException>(async () => await transport.Input.ReadAsync(Wait.Token()));
    }

    [Fact]
    public async Task Closed_RunsItsHandlersInTheThreadPool()
    {
        var transport = Open();
        var isOnTheReactor = new TaskCompletionSource<bool>();
        transport.Closed.Register(() => isOnTheReactor.SetResult(_rig.Reactor.IsCurrent));

        await _peer.FinishAsync();

        Assert.False(await isOnTheReactor.Task.WaitAsync(Wait.Bound));
    }

    [Fact]
    public async Task Closed_WithAHandlerThatThrows_IsLoggedAndHoldsNothingUp()
    {
        var transport = Open();
        transport.Closed.Register(() => throw new InvalidTimeZoneException("on purpose"));
        var others = Closed(transport);

        await transport.DisposeAsync().AsTask().WaitAsync(Wait.Bound);

        await others.WaitAsync(Wait.Bound);
        var line = Assert.Single(_log.Lines, line => line.Level == LogLevel.Error);
        Assert.Equal("CloseHandlerFailed", line.Event);
        Assert.Contains("the id", line.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Abort_BreaksTheConnectionAndTellsBothEndsOfTheApplication()
    {
        var transport = Open();
        var closed = Closed(transport);

        transport.Abort(new ConnectionAbortedException("on purpose"));

        Assert.False(await _peer.EndsInOrderAsync());
        await closed.WaitAsync(Wait.Bound);
        Assert.Equal("on purpose", (await Assert.ThrowsAsync<ConnectionAbortedException>(async () => await transport.Input.ReadAsync(Wait.Token()))).Message);
        await Wait.UntilAsync(async () => (await transport.Output.FlushAsync()).IsCompleted);
    }

    [Fact]
    public async Task Abort_OfAWriterWhoWaits_EndsHisWait()
    {
        var transport = Open();
        var writing = transport.Output.WriteAsync(new byte[100_000_000]).AsTask();
        await _rig.TurnAsync();
        Assert.False(writing.IsCompleted);

        transport.Abort(new ConnectionAbortedException());

        Assert.True((await writing.WaitAsync(Wait.Bound)).IsCompleted);
    }

    [Fact]
    public async Task Write_ToAPeerThatBroke_SaysThatNobodyReads()
    {
        var transport = Open();
        _peer.Reset();

        await Wait.UntilAsync(async () => (await transport.Output.WriteAsync("x"u8.ToArray())).IsCompleted);
    }

    [Fact]
    public async Task Write_IsSentBeforeTheFlushReturns()
    {
        var transport = Open();
        using (await _rig.HoldAsync()) // Nobody else does it.
        {
            await transport.Output.WriteAsync("at once"u8.ToArray());
            Assert.Equal("at once", await _peer.ReadTextAsync(7));
        }
    }

    [Fact]
    public async Task KestrelsOwnOption_KeepsApplicationsOffTheReactor()
    {
        var transport = Open(sockets => sockets.UnsafePreferInlineScheduling = true);
        var reading = ReadAsync();
        await _peer.WriteAsync("x");

        Assert.False(await reading.WaitAsync(Wait.Bound));

        async Task<bool> ReadAsync()
        {
            await transport.Input.ReadAsync();
            return _rig.Reactor.IsCurrent;
        }
    }

    // Bytes of the peer's own that nobody took break its connection, but not before it has all that was sent to it, and the end.
    [Fact]
    public async Task Dispose_WithBytesThatNobodyRead_LetsThePeerReadToTheEnd()
    {
        var transport = Open(sockets => sockets.MaxReadBufferSize = 1);
        await _peer.WriteAsync(new byte[1_000_000]);
        await transport.Input.ReadAtLeastAsync(1, Wait.Token());
        await transport.Output.WriteAsync("all of it"u8.ToArray(), Wait.Token());

        await transport.DisposeAsync().AsTask().WaitAsync(Wait.Bound);

        Assert.Equal("all of it", await _peer.ReadTextToEndAsync());
    }

    [Fact]
    public async Task Log_ThatThrows_HoldsNothingUp()
    {
        var transport = Open(log: new BrokenLog());
        var closed = Closed(transport);

        _peer.Reset();

        await closed.WaitAsync(Wait.Bound);
        await transport.DisposeAsync().AsTask().WaitAsync(Wait.Bound);
    }

    [Fact]
    public async Task Output_ThatIsCompletedWithAReason_BreaksTheConnection()
    {
        var transport = Open();

        await transport.Output.CompleteAsync(new InvalidTimeZoneException());

        Assert.False(await _peer.EndsInOrderAsync());
    }

    [Theory]
    [InlineData(10_000L, false)]
    [InlineData(null, true)]
    public async Task Input_HoldsAsMuchAsTheOptionsSay(long? most, bool isAllTaken)
    {
        const int Sent = 20_000_000;
        var transport = Open(sockets => sockets.MaxReadBufferSize = most);
        var sending = _peer.WriteAsync(new byte[Sent]);

        if (isAllTaken) await sending.WaitAsync(Wait.Bound);
        var read = await transport.Input.ReadAtLeastAsync(isAllTaken ? Sent : 10_000, Wait.Token());

        Assert.Equal(isAllTaken, read.Buffer.Length == Sent);
        Assert.False(!isAllTaken && sending.IsCompleted);
        transport.Abort(new ConnectionAbortedException());
        if (!isAllTaken) await Assert.ThrowsAnyAsync<IOException>(() => sending.WaitAsync(Wait.Bound));
    }

    [Fact]
    public async Task Input_WithApplicationsInline_IsReadOnTheReactorAndAnsweredFromThere()
    {
        var transport = Open(isInline: true);
        var answering = AnswerAsync();

        await _peer.WriteAsync("question");

        Assert.Equal("answer", await _peer.ReadTextAsync(6));
        Assert.True(await answering.WaitAsync(Wait.Bound));

        async Task<bool> AnswerAsync()
        {
            var read = await transport.Input.ReadAsync();
            Assert.Equal("question", Encoding.Latin1.GetString(System.Buffers.BuffersExtensions.ToArray(read.Buffer)));
            transport.Input.AdvanceTo(read.Buffer.End);
            var isInline = _rig.Reactor.IsCurrent;
            await transport.Output.WriteAsync("answer"u8.ToArray());
            return isInline;
        }
    }

    private static Task Closed(RawTransport transport)
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        transport.Closed.Register(closed.SetResult);
        return closed.Task;
    }

    private RawTransport Open(Action<SocketTransportOptions>? configure = null, bool isInline = false, ILogger? log = null)
    {
        var sockets = new SocketTransportOptions();
        configure?.Invoke(sockets);
        _settings = new ChannelSettings(sockets, new TransportOptions { UnsafePreferInlineScheduling = isInline });
        return _transport = new RawTransport(new StickyWs.Transport.RawSocket(_rig.Reactor, _fd), "the id", _settings, log ?? _log.CreateLogger("test"));
    }

    private sealed class BrokenLog : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => throw new InvalidTimeZoneException();
    }

    public sealed class OnEpoll() : RawTransportTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : RawTransportTests(ReactorMode.IoUring);
}

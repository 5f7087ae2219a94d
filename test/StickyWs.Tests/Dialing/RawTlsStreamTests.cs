using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Configuration;
using StickyWs.Dialing;
using StickyWs.TestKit;
using StickyWs.Tests.Reactors;
using StickyWs.Tests.Tls;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Tests.Dialing;

/// <summary>TLS handshakes with backends, whose steps wait for others beside the reactor.</summary>
public sealed class RawTlsStreamTests : ClientTest, IAsyncDisposable
{
    private readonly RelayRig _rig = new(ReactorMode.Epoll, time: new FakeTimeProvider()); // Its clock stands: never at rest.
    private readonly CancellationTokenSource _attempt = new();
    private readonly NetworkStream _peer;
    private readonly RawSocket _socket;
    private readonly RawTlsStream _stream;

    public RawTlsStreamTests()
    {
        var (outer, fd) = _rig.Connect();
        _peer = new NetworkStream(outer, ownsSocket: true);
        _socket = new RawSocket(_rig.Reactor, fd);
        _stream = new RawTlsStream(_socket, Keep(TlsEnd.Connect(ClientContext(new TlsClientSettings()), "backend.test")));
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _socket.Dispose();
        await _peer.DisposeAsync();
        await _rig.DisposeAsync();
        _attempt.Dispose();
        Dispose();
    }

    [Fact]
    public async Task Handshake_EndsOnTheReactor()
    {
        var ending = EndAsync();
        await using var server = new SslStream(_peer, leaveInnerStreamOpen: true);
        await server.AuthenticateAsServerAsync(TestCertificate.Server).WaitAsync(Wait.Token());

        Assert.True(await ending.WaitAsync(Wait.Token()));

        async Task<bool> EndAsync()
        {
            await _stream.HandshakeAsync(_attempt.Token);
            return _rig.Reactor.IsCurrent;
        }
    }

    [Fact]
    public async Task AttemptThatIsCancelledBeforeItsFirstStep_SendsNothing()
    {
        var others = await KeepBusyAsync();
        var handshake = _stream.HandshakeAsync(_attempt.Token).AsTask();

        await _attempt.CancelAsync();
        others.SetResult();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => handshake.WaitAsync(Wait.Token()));
        await _stream.DisposeAsync();
        _socket.FinishSending();
        Assert.Equal(0, await _peer.ReadAsync(new byte[1], Wait.Token()));
    }

    [Fact]
    public async Task AttemptThatIsCancelledBeforeALaterStep_Ends()
    {
        var handshake = _stream.HandshakeAsync(_attempt.Token).AsTask();
        Assert.True(await _peer.ReadAsync(new byte[4096], Wait.Token()) > 0);
        var others = await KeepBusyAsync();
        await _peer.WriteAsync("no answer of a server"u8.ToArray(), Wait.Token());
        await TurnAsync();

        await _attempt.CancelAsync();
        others.SetResult();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => handshake.WaitAsync(Wait.Token()));
    }

    // Nobody is told any more when something arrives: its time ends it.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AttemptThatOutlivesTheReactor_EndsWithItsTime(bool waitsForItsStep)
    {
        var others = waitsForItsStep ? await KeepBusyAsync() : null;
        var handshake = _stream.HandshakeAsync(_attempt.Token).AsTask();
        if (others is null) Assert.True(await _peer.ReadAsync(new byte[4096], Wait.Token()) > 0);

        _rig.Reactor.Dispose();
        others?.SetResult();
        await _attempt.CancelAsync();

        await Assert.ThrowsAnyAsync<Exception>(() => handshake.WaitAsync(Wait.Token()));
        Assert.True(handshake.IsCompleted);
    }

    // Until the result is set, the thread beside the reactor is within another's step.
    private async Task<TaskCompletionSource> KeepBusyAsync()
    {
        var (hasBegun, mayEnd) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource());
        _rig.Reactor.Aside.Run(() =>
        {
            hasBegun.SetResult();
            mayEnd.Task.Wait();
        });
        await hasBegun.Task.WaitAsync(Wait.Token());
        return mayEnd;
    }

    private async Task TurnAsync()
    {
        var hasTurned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _rig.Reactor.Run(hasTurned.SetResult);
        await hasTurned.Task.WaitAsync(Wait.Token());
    }
}

using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using StickyWs.TestKit;
using StickyWs.Transport;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Tunnels;

public sealed class DeliveryTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // Of a peer that the kernel comes to in its own time.
    private static readonly TimeSpan Endless = TimeSpan.FromDays(1);

    private readonly FakeTimeProvider _clock = new();
    private readonly Socket _sender = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket _receiver;

    public DeliveryTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere the system does not tell.");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _sender.Connect(listener.LocalEndpoint);
        _receiver = listener.AcceptSocket();
    }

    public void Dispose()
    {
        _sender.Dispose();
        _receiver.Dispose();
    }

    [Fact]
    public async Task Wait_ForAPeerThatHasAll_IsOver()
    {
        _sender.Send("farewell"u8);

        Assert.True(await RunAsync(new Delivery(_clock, Endless)));
    }

    [Fact]
    public async Task Wait_ForAPeerThatTakesNothing_EndsWithThePatience()
    {
        Fill();
        var start = _clock.GetTimestamp();

        Assert.False(await RunAsync(new Delivery(_clock, Patience)));

        Assert.True(_clock.GetElapsedTime(start) >= Patience);
    }

    [Fact]
    public async Task Wait_WithALimit_EndsThereHoweverPatientItIs()
    {
        Fill();
        var delivery = new Delivery(_clock, Endless);

        var waiting = delivery.WaitAsync(SocketView.Of(_sender), Patience).AsTask();
        await Wait.UntilAsync(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return waiting.IsCompleted;
        });

        Assert.False(await waiting);
    }

    [Fact]
    public async Task Wait_ForAPeerThatReadsOn_TellsHowMuchItHasTaken()
    {
        Fill();
        var delivery = new Delivery(_clock, Endless);
        var waiting = RunAsync(delivery);
        var buffer = new byte[1024 * 1024];
        while (!waiting.IsCompleted)
        {
            if (_receiver.Available > 0) _receiver.Receive(buffer);
            await Task.Yield();
        }

        Assert.True(await waiting);
        Assert.InRange(delivery.Acknowledged, 1024 * 1024, long.MaxValue);
    }

    [Fact]
    public async Task Wait_OnceCancelled_IsOver()
    {
        Fill();
        var delivery = new Delivery(_clock, Patience);
        delivery.Cancel();

        Assert.True(await delivery.WaitAsync(SocketView.Of(_sender)));
    }

    [Fact]
    public async Task Wait_CancelledWhileItSleeps_IsOverThoughTheClockStands()
    {
        Fill();
        var delivery = new Delivery(_clock, Endless);
        var waiting = delivery.WaitAsync(SocketView.Of(_sender)).AsTask();
        Assert.False(waiting.IsCompleted);

        delivery.Cancel();

        Assert.True(await waiting.WaitAsync(Wait.Bound));
    }

    [Fact]
    public async Task Wait_ForAPeerThatBroke_IsOver()
    {
        Fill();
        _receiver.Close(0);

        Assert.True(await RunAsync(new Delivery(_clock, Endless)));
    }

    [Fact]
    public async Task Wait_OnASocketThatIsClosed_IsOver()
    {
        _sender.Dispose();

        Assert.True(await new Delivery(_clock, Patience).WaitAsync(SocketView.Of(_sender)));
        Assert.True(await new Delivery(_clock, Patience).WaitAsync(default));
    }

    // At least so much that the kernel keeps some of it, whatever its limits are.
    private void Fill()
    {
        _sender.Blocking = false;
        var chunk = new byte[256 * 1024];
        for (var tries = 0; tries < 20; tries++)
        {
            var error = SocketError.Success;
            while (error == SocketError.Success) _sender.Send(chunk, SocketFlags.None, out error);
            Assert.Equal(SocketError.WouldBlock, error);
            _sender.Poll(TimeSpan.FromMilliseconds(1), SelectMode.SelectWrite);
        }
    }

    // Passes the time as long as that is what is waited for.
    private async Task<bool> RunAsync(Delivery delivery)
    {
        var waiting = delivery.WaitAsync(SocketView.Of(_sender)).AsTask();
        using var bound = new CancellationTokenSource(Wait.Bound);
        while (!waiting.IsCompleted)
        {
            bound.Token.ThrowIfCancellationRequested();
            _clock.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        return await waiting;
    }
}

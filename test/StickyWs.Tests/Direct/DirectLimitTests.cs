using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Configuration;
using StickyWs.Direct;
using StickyWs.Health;
using StickyWs.Kernel;
using StickyWs.TestKit;
using StickyWs.Transport;

namespace StickyWs.Tests.Direct;

/// <summary>Limits of time and memory in the direct lane, and clients that keep none.</summary>
public abstract class DirectLimitTests(ReactorMode mode)
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    private const string Expecting = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    private const string Chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    private const string One = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none";
    private static readonly string Large = $"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n{new string('x', 2000)}";

    private protected FakeTimeProvider Time { get; } = new();

    [Fact]
    public async Task AReaderThatIsSlow_KeepsItsAnswer()
    {
        await using var rig = new DirectRig(mode, pool => pool.Timeouts.Activity = TimeSpan.FromSeconds(10), Time);
        var (client, _) = rig.Connect(sendBuffer: 200_000);
        DirectRig.Send(client, Get);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        var sending = Task.Run(() => DirectRig.Send(backend, "HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n" + new string('x', 8_000_000)));
        var length = 0;
        for (var i = 0; i < 8; i++)
        {
            await Wait.UntilAsync(() => client.Available > 0);
            await PassAsync(rig, 6);
            length += Read(client, client.Available).Length;
        }

        while (length < 8_000_000) length += Read(client, Math.Min(4096, 8_000_000 - length)).Length;
        await sending.WaitAsync(Wait.Bound);
    }

    [Fact]
    public async Task AConnectionThatWasAborted_DisturbsNobody()
    {
        using var settings = new ChannelSettings(new SocketTransportOptions(), new TransportOptions());
        await using var rig = new DirectRig(mode);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, Get);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        var (outer, inner) = rig.Reactor.Connect();
        using var _ = outer;
        var remote = new RawAddress((System.Net.IPEndPoint)outer.LocalEndPoint!);
        await using var connection = new RawConnection(new RawSocket(rig.Reactor.Reactor, inner), null, remote, settings, NullLogger.Instance);
        connection.Abort(new ConnectionAbortedException());
        var departure = await rig.Lane.ServeAsync(connection, new NoFeatures(), "id", CancellationToken.None).AsTask().WaitAsync(Wait.Bound);
        Assert.Equal(DepartureWay.None, departure.Way);
        await Task.Run(() => // Away from the reactor's thread.
        {
            DirectRig.Send(backend, One);
            Assert.Equal(One, DirectRig.ReadTo(client, "one"));
        });
    }

    // The client is not awaited before the backend has its head, and has asked for the body.
    [Fact]
    public async Task AClientThatMayNotSendYet_IsNotLate()
    {
        await using var rig = new DirectRig(mode, time: Time);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, Expecting);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        for (var i = 0; i < 20; i++) await PassAsync(rig, 1);
        DirectRig.Send(backend, "HTTP/1.1 100 Continue\r\n\r\n");
        DirectRig.ReadTo(client, "100 Continue\r\n\r\n");
        await PassAsync(rig, 1);
        DirectRig.Send(client, "abc");
        DirectRig.ReadTo(backend, "abc");
        DirectRig.Send(backend, One);
        Assert.Equal(One, DirectRig.ReadTo(client, "one"));
    }

    [Fact]
    public async Task ABodyThatIsTooSlow_IsRefused()
    {
        await using var rig = new DirectRig(mode, time: Time);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, Expecting.Replace("Expect: 100-continue\r\n", "", StringComparison.Ordinal) + "a");
        DirectRig.ReadTo(await rig.AcceptAsync(), "\r\n\r\na");
        for (var i = 0; i < 6; i++) await PassAsync(rig, 1);
        Assert.StartsWith("HTTP/1.1 408 ", DirectRig.ReadTo(client, null), StringComparison.Ordinal);
    }

    // Before a 100 the client need not speak; behind it, it must.
    [Theory]
    [InlineData(false, "HTTP/1.1 504 ")]
    [InlineData(true, "HTTP/1.1 408 ")]
    public async Task AnExpectedBodyThatNeverComes_IsTheFaultOfWhoeverHadToSpeak(bool isAskedFor, string expected)
    {
        await using var rig = new DirectRig(mode, pool => pool.Timeouts.Activity = TimeSpan.FromSeconds(10), Time);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, Expecting);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        if (isAskedFor)
        {
            DirectRig.Send(backend, "HTTP/1.1 100 Continue\r\n\r\n");
            DirectRig.ReadTo(client, "\r\n\r\n");
        }

        await PassAsync(rig, 11);
        Assert.StartsWith(expected, DirectRig.ReadTo(client, null), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ABodyThatFailsBehindItsAnswer_LeavesThatWhole()
    {
        await using var rig = new DirectRig(mode);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, Chunked + "3\r\nabc\r\n");
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "abc\r\n");
        DirectRig.Send(backend, One);
        await Wait.UntilAsync(() => client.Available == One.Length);
        DirectRig.Send(client, "no chunk\r\n");
        Assert.Equal(One, DirectRig.ReadTo(client, null));
    }

    [Fact]
    public async Task ABodyThatIsTooLarge_IsRefused()
    {
        await using var rig = new DirectRig(
            mode, configureServices: services => services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxRequestBodySize = 20));
        var (client, _) = rig.Connect();
        DirectRig.Send(client, Chunked + "5\r\nabcde\r\n");
        DirectRig.ReadTo(await rig.AcceptAsync(), "abcde\r\n");
        DirectRig.Send(client, "40\r\n" + new string('x', 64));
        Assert.StartsWith("HTTP/1.1 413 ", DirectRig.ReadTo(client, null), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AHeadThatIsLate_IsRefused()
    {
        await using var rig = new DirectRig(mode, time: Time);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, Get[..^2]);
        await Wait.UntilAsync(async () =>
        {
            await PassAsync(rig, 11);
            return client.Available > 0;
        });
        Assert.StartsWith("HTTP/1.1 408 ", DirectRig.ReadTo(client, null), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AClientThatIsIdleForTooLong_IsClosed()
    {
        await using var rig = new DirectRig(mode, time: Time);
        var (client, connection) = rig.Connect();
        DirectRig.Send(client, Get);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        DirectRig.Send(backend, One);
        Assert.Equal(One, DirectRig.ReadTo(client, "one"));
        await PassAsync(rig, 129);
        Assert.False(client.Poll(0, SelectMode.SelectRead));
        await PassAsync(rig, 2);
        Assert.Equal("", DirectRig.ReadTo(client, null));
        client.Dispose();
        Assert.False(await connection.Serving!.WaitAsync(Wait.Bound));
    }

    [Fact]
    public async Task AProcessThatLeaves_ClosesConnectionsWithTheirNextAnswer()
    {
        await using var rig = new DirectRig(mode);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, Get);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        rig.Services.GetRequiredService<ProcessReadiness>().Leave();
        DirectRig.Send(backend, One);
        Assert.Equal("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\none", DirectRig.ReadTo(client, null));
    }

    // Lets time pass, and the sweep look.
    private protected async Task PassAsync(DirectRig rig, int seconds)
    {
        Time.Advance(TimeSpan.FromSeconds(seconds));
        await rig.Reactor.TurnAsync();
    }

    private protected static string Read(Socket socket, int count)
    {
        var (bytes, length) = (new byte[count], 0);
        while (length < count)
        {
            var received = socket.Receive(bytes.AsSpan(length));
            if (received == 0) break;
            length += received;
        }

        return System.Text.Encoding.Latin1.GetString(bytes, 0, length);
    }

    public sealed class OnIoUring() : DirectLimitTests(ReactorMode.IoUring);

    // That a client is full is known here before its exchange ends; io_uring may learn it when the next one is under way, and then its link is paused.
    public sealed class OnEpoll() : DirectLimitTests(ReactorMode.Epoll)
    {
        [Fact]
        public async Task AClientThatReadsNothing_HasNoFurtherHeadTaken_AndIsNotLateWithThem()
        {
            const int Requests = 1000;
            await using var rig = new DirectRig(ReactorMode.Epoll, time: Time);
            var (client, _) = rig.Connect(sendBuffer: 4096);
            DirectRig.Send(client, string.Concat(Enumerable.Repeat(Get, Requests)));
            var backend = await rig.AcceptAsync();
            var answered = await AnswerWhileTakenAsync(rig, backend, Requests);
            Assert.InRange(answered, 1, Requests - 1);
            await PassAsync(rig, 15);
            var answering = Task.Run(() =>
            {
                for (var i = answered; i < Requests; i++)
                {
                    DirectRig.ReadTo(backend, "\r\n\r\n");
                    DirectRig.Send(backend, Large);
                }
            });
            for (var i = 0; i < Requests; i++) Assert.Equal(Large, Read(client, Large.Length));
            await answering.WaitAsync(Wait.Bound);
        }

        [Fact]
        public async Task AClientThatReadsNothing_IsDropped()
        {
            await using var rig = new DirectRig(ReactorMode.Epoll, time: Time);
            var (client, connection) = rig.Connect(sendBuffer: 4096);
            DirectRig.Send(client, string.Concat(Enumerable.Repeat(Get, 1000)));
            await AnswerWhileTakenAsync(rig, await rig.AcceptAsync(), 1000);
            await Wait.UntilAsync(async () =>
            {
                await PassAsync(rig, 131);
                return connection.Serving!.IsCompleted;
            });
            Assert.False(await connection.Serving!);
        }

        // Returns how many requests were answered when the client had no further one taken.
        private static async Task<int> AnswerWhileTakenAsync(DirectRig rig, Socket backend, int most)
        {
            for (var count = 1; count <= most; count++)
            {
                DirectRig.ReadTo(backend, "\r\n\r\n");
                DirectRig.Send(backend, Large);
                await Wait.UntilAsync(async () => backend.Available > 0 || await rig.Reactor.DoAsync(() => rig.Backend.ActiveRequests) == 0);
                if (backend.Available == 0) return count;
            }

            return most;
        }
    }
}

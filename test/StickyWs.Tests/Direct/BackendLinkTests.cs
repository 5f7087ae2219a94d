using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.Tests.Direct;

/// <summary>Which connections to a backend serve another exchange. One that is used in doubt gives somebody the answer to another request.</summary>
public abstract class BackendLinkTests(ReactorMode mode)
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    private const string One = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none";
    private const string Two = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo";
    private const string Refused = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n";
    private const string Expecting = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 27\r\n\r\n";

    // A backend that answers without a 100, or refuses, may read what follows as the next request.
    [Theory]
    [InlineData("Expect: 100-continue\r\n", "401")]
    [InlineData("Expect: 100-continue\r\n", "200")]
    [InlineData("", "413")]
    public async Task ABodyThatWasNotAwaited_EndsBothConnections(string expectation, string status)
    {
        await using var rig = new DirectRig(mode);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, $"POST / HTTP/1.1\r\nHost: a\r\n{expectation}Content-Length: {Get.Length}\r\n\r\n");
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        DirectRig.Send(backend, $"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal($"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", DirectRig.ReadTo(client, null));
        DirectRig.Send(client, Get);
        Assert.Equal("", ReadRest(backend));
        Assert.Equal(0, await rig.Reactor.DoAsync(() => rig.Desk.Kept.Count));
    }

    [Fact]
    public async Task ABodyThatIsRefused_IsNotSentOn()
    {
        await using var rig = new DirectRig(mode);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, $"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {Get.Length}\r\n\r\n");
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        DirectRig.Send(backend, One.Replace("200 OK", "413 No", StringComparison.Ordinal)[..^3]);
        Assert.Equal("HTTP/1.1 413 No\r\nContent-Length: 3\r\nConnection: close\r\n\r\n", DirectRig.ReadTo(client, "\r\n\r\n"));
        DirectRig.Send(client, Get);
        await rig.Reactor.TurnAsync();
        DirectRig.Send(backend, "one");
        Assert.Equal("one", DirectRig.ReadTo(client, null));
        Assert.Equal("", ReadRest(backend));
    }

    [Fact]
    public async Task ABodyThatWasSentUnasked_AndRefused_EndsItsConnectionToTheBackend()
    {
        await using var rig = new DirectRig(mode);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, Expecting + Get);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, Get);
        DirectRig.Send(backend, Refused);
        Assert.Equal(Refused, DirectRig.ReadTo(client, "\r\n\r\n"));
        await ServeOnAnotherAsync(rig, client);
    }

    [Fact]
    public async Task ABodyThatWasAskedFor_LeavesItsConnectionToTheNext()
    {
        await using var rig = new DirectRig(mode);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, Expecting);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        DirectRig.Send(backend, "HTTP/1.1 100 Continue\r\n\r\n");
        DirectRig.ReadTo(client, "\r\n\r\n");
        DirectRig.Send(client, Get);
        DirectRig.ReadTo(backend, Get);
        DirectRig.Send(backend, Refused);
        Assert.Equal(Refused, DirectRig.ReadTo(client, "\r\n\r\n"));
        DirectRig.Send(client, Get);
        DirectRig.ReadTo(backend, "\r\n\r\n");
        DirectRig.Send(backend, One);
        Assert.Equal(One, DirectRig.ReadTo(client, "one"));
    }

    [Fact]
    public async Task AConnectionThatEndsWithItsAnswer_IsClosedAtOnce()
    {
        await using var rig = new DirectRig(mode);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, Get);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        DirectRig.Send(backend, One.Replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", StringComparison.Ordinal));
        Assert.Equal(One, DirectRig.ReadTo(client, "one"));
        Assert.Equal(0, await rig.Reactor.DoAsync(() => rig.Desk.Kept.Count));
        await ServeOnAnotherAsync(rig, client);
    }

    // It would take the next request for the rest of the body.
    [Fact]
    public async Task ABodyThatItsClientNeedNotEnd_EndsItsConnection()
    {
        await using var rig = new DirectRig(mode);
        var (client, _) = rig.Connect();
        var (another, _) = rig.Connect();
        DirectRig.Send(client, $"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {Get.Length}\r\n\r\n");
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        DirectRig.Send(backend, One);
        DirectRig.ReadTo(client, null);
        await ServeOnAnotherAsync(rig, another);
    }

    // What the backend has not read yet would be in front of the next request.
    [Fact]
    public async Task ARequestThatHasNotLeft_EndsItsConnection()
    {
        await using var rig = new DirectRig(mode, window: 4096);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, Get);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        Shrink(backend);
        DirectRig.Send(backend, One);
        DirectRig.ReadTo(client, "one");
        DirectRig.Send(client, Long);
        Assert.True(backend.Poll(Wait.Bound, SelectMode.SelectRead));
        await rig.Reactor.TurnAsync();
        DirectRig.Send(backend, Two);
        Assert.Equal(Two, DirectRig.ReadTo(client, "two"));
        await ServeOnAnotherAsync(rig, client);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task BytesOfTheTurnInWhichARequestBegins_AreNotItsAnswer(bool isLong)
    {
        await using var rig = new DirectRig(mode);
        var (first, _) = rig.Connect();
        var (second, _) = rig.Connect();
        DirectRig.Send(first, Get);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        DirectRig.Send(backend, One);
        Assert.Equal(One, DirectRig.ReadTo(first, "one"));
        await rig.Reactor.TurnAsync();
        using (await rig.Reactor.HoldAsync())
        {
            DirectRig.Send(second, (isLong ? Long : Get).Replace("Host: a", "Host: a\r\nConnection: close", StringComparison.Ordinal));
            DirectRig.Send(backend, Two);
            await Wait.UntilAsync(() => SentQueue.IsEmpty(backend) && SentQueue.IsEmpty(second)); // The kernel may pace what it sends.
        }

        var accepting = rig.AcceptAsync();
        var reading = Task.Run(() => DirectRig.ReadTo(second, null));
        var isAsked = await Task.WhenAny(accepting, reading) == accepting;
        if (isAsked) DirectRig.Send(await accepting, One);
        Assert.DoesNotContain("two", await reading, StringComparison.Ordinal);
    }

    [Fact]
    public async Task InterimAnswersWithoutEnd_AreNoAnswer()
    {
        await using var rig = new DirectRig(mode);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        var hint = $"HTTP/1.1 103 Early Hints\r\nLink: <{new string('a', 1000)}>\r\n\r\n";
        DirectRig.Send(backend, string.Concat(Enumerable.Repeat(hint, 70)) + One);
        var answers = DirectRig.ReadTo(client, null);
        Assert.Contains("HTTP/1.1 502", answers, StringComparison.Ordinal);
        Assert.Equal(64 * 1024 / hint.Length, answers.Split("HTTP/1.1 103").Length - 1);
    }

    // The backend said how long it waits; a second less, for what is under way.
    [Fact]
    public async Task AConnection_IsNotUsedWhenItsBackendMayBeClosingIt()
    {
        var time = new FakeTimeProvider();
        await using var rig = new DirectRig(mode, time: time);
        var (client, _) = rig.Connect();
        DirectRig.Send(client, Get);
        var backend = await rig.AcceptAsync();
        for (var i = 0; i < 2; i++)
        {
            DirectRig.ReadTo(backend, "\r\n\r\n");
            DirectRig.Send(backend, "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 3\r\n\r\none");
            DirectRig.ReadTo(client, "one");
            await rig.Reactor.TurnAsync(); // The connection has become idle.
            time.Advance(TimeSpan.FromSeconds(i == 0 ? 3.9 : 4));
            if (i == 0) DirectRig.Send(client, Get);
        }

        await ServeOnAnotherAsync(rig, client);
    }

    private static string Long => $"GET / HTTP/1.1\r\nHost: a\r\nA: {new string('a', 10_000)}\r\nB: {new string('b', 10_000)}\r\n\r\n";

    private static async Task ServeOnAnotherAsync(DirectRig rig, Socket client)
    {
        DirectRig.Send(client, Get);
        var another = await rig.AcceptAsync();
        DirectRig.ReadTo(another, "\r\n\r\n");
        DirectRig.Send(another, One);
        Assert.Equal(One, DirectRig.ReadTo(client, "one"));
    }

    // Up to the end, or the reset.
    private static string ReadRest(Socket socket)
    {
        try
        {
            return DirectRig.ReadTo(socket, null);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return "";
        }
    }

    // Gives the other end of a connection, which is in this process too, the least memory to send from.
    private static void Shrink(Socket backend)
    {
        foreach (var entry in Directory.GetFiles("/proc/self/fd"))
        {
            if (!int.TryParse(Path.GetFileName(entry), out var fd)) continue;
            try
            {
                using var socket = new Socket(new SafeSocketHandle(fd, ownsHandle: false));
                if (!Equals(socket.LocalEndPoint, backend.RemoteEndPoint)) continue;
                socket.SendBufferSize = 1;
                return;
            }
            catch (SocketException)
            {
                // Another kind of descriptor, or it is closed already.
            }
        }

        Assert.Fail("The connection is not among the descriptors.");
    }

    public sealed class OnIoUring() : BackendLinkTests(ReactorMode.IoUring);

    public sealed class OnEpoll() : BackendLinkTests(ReactorMode.Epoll);
}

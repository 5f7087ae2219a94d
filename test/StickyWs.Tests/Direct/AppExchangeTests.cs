using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using StickyWs.Configuration;
using StickyWs.TestKit;

namespace StickyWs.Tests.Direct;

/// <summary>Requests of direct clients to the app, where the test is the server: when one is over, and what becomes of those that leave a doubt.</summary>
public abstract class AppExchangeTests(ReactorMode mode)
{
    private const string Get = "GET /app HTTP/1.1\r\nHost: a\r\n\r\n";
    private const string Post = "POST /app HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n";
    private const string PostInChunks = "POST /app HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    private const string One = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none";
    private const string Refused = "HTTP/1.1 400 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    [Fact]
    public async Task TheNextRequest_ComesWhenTheServerWaitsForIt()
    {
        await using var rig = new AppRig(mode);
        var client = rig.Connect();
        DirectRig.Send(client, Get + Get);
        var app = await rig.AcceptAsync();
        Assert.Equal(Get, await app.ReadToAsync("\r\n\r\n"));
        await app.WriteAsync(One);
        Assert.Equal(One, DirectRig.ReadTo(client, "one"));
        await rig.TurnAsync();
        Assert.False(app.HasMore);

        Assert.Equal(Get, await app.ReadToAsync("\r\n\r\n"));
        await app.WriteAsync(One);
        Assert.Equal(One, DirectRig.ReadTo(client, "one"));
        Assert.Equal(1, rig.Opened);
    }

    // The server has used all of a request, and waits for more, as soon as it has its head.
    [Fact]
    public async Task ARequest_IsOverOnlyWithItsAnswer()
    {
        await using var rig = new AppRig(mode);
        var (client, app) = await rig.AskAsync(Get + Get);
        var next = app.ReadToAsync("\r\n\r\n");
        await app.WriteAsync(One[..^1]);
        Assert.Equal(One[..^1], DirectRig.ReadTo(client, "on"));
        await rig.TurnAsync();
        Assert.False(next.IsCompleted);

        await app.WriteAsync("e");
        Assert.Equal("e", DirectRig.ReadTo(client, "e"));
        Assert.Equal(Get, await next);
        await app.WriteAsync(One);
        DirectRig.ReadTo(client, "one");
    }

    [Fact]
    public async Task WhatFollowsAnAnswer_ReachesNobody_AndEndsTheConnections()
    {
        await using var rig = new AppRig(mode);
        var (client, app) = await rig.AskAsync(Get);
        await app.WriteAsync(One + One);
        Assert.Equal("", await app.ReadToAsync(null));
        await app.WriteAsync(One);
        await app.CloseAsync();
        Assert.Equal(One, DirectRig.ReadTo(client, null));
    }

    [Fact]
    public async Task AnAnswerThatNobodyAskedFor_ReachesNobody_AndEndsItsConnection()
    {
        await using var rig = new AppRig(mode);
        var (client, app) = await rig.AskAsync(Get);
        await app.WriteAsync(One);
        DirectRig.ReadTo(client, "one");
        var end = app.ReadToAsync(null);
        await rig.TurnAsync();
        await app.WriteAsync(One.Replace("one", "two", StringComparison.Ordinal));
        Assert.Equal("", await end);

        DirectRig.Send(client, Get);
        var another = await rig.AcceptAsync();
        await another.ReadToAsync("\r\n\r\n");
        await another.WriteAsync(One);
        Assert.Equal(One, DirectRig.ReadTo(client, "one"));
    }

    // Interim answers, and a body in chunks.
    [Fact]
    public async Task Answers_InSingleBytes_AreTheSame()
    {
        await using var rig = new AppRig(mode);
        const string Answer = "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n";
        var (client, app) = await rig.AskAsync(Get);
        foreach (var one in Answer) await app.WriteAsync(one.ToString());
        Assert.Equal(Answer, DirectRig.ReadTo(client, "0\r\n\r\n"));
        DirectRig.Send(client, Get);
        await app.ReadToAsync("\r\n\r\n");
        await app.WriteAsync(Answer);
        Assert.Equal(Answer, DirectRig.ReadTo(client, "0\r\n\r\n"));
    }

    // The client must not take it for the whole.
    [Fact]
    public async Task AnAnswerThatIsCut_BreaksTheClientsConnection()
    {
        await using var rig = new AppRig(mode);
        var (client, app) = await rig.AskAsync(Get);
        await app.WriteAsync(One[..^1]);
        await app.CloseAsync();
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => DirectRig.ReadTo(client, null)).SocketErrorCode);
    }

    [Fact]
    public async Task AnAnswerUpToTheEnd_EndsBothConnectionsInOrder()
    {
        await using var rig = new AppRig(mode);
        var (client, app) = await rig.AskAsync(Get);
        await app.WriteAsync("HTTP/1.1 200 OK\r\n\r\nall");
        Assert.Equal("", await app.ReadToAsync(null));
        await app.WriteAsync(" of it");
        await app.CloseAsync();
        Assert.EndsWith("\r\n\r\nall of it", DirectRig.ReadTo(client, null), StringComparison.Ordinal);
    }

    // Only the server can say what it is; there is no next request.
    [Fact]
    public async Task ABodyThatCannotBeCounted_IsTheLast()
    {
        await using var rig = new AppRig(mode);
        var client = rig.Connect();
        DirectRig.Send(client, PostInChunks + "x\r\n" + Get);
        var app = await rig.AcceptAsync();
        Assert.Equal(PostInChunks + "x\r\n" + Get, await app.ReadToAsync(Get));
        await app.WriteAsync(Refused);
        Assert.Equal("", await app.ReadToAsync(null));
        await app.CloseAsync();
        Assert.Equal(Refused, DirectRig.ReadTo(client, null));
    }

    [Fact]
    public async Task ACloseNotifyWithinABody_IsItsEndForTheServer_WhichAnswers()
    {
        await using var rig = new AppRig(mode);
        using var client = rig.ConnectTls();
        client.Socket.Send([.. client.Seal(Post + "abc"), .. client.CloseNotify()]);
        var app = await rig.AcceptAsync();
        Assert.Equal(Post + "abc", await app.ReadToAsync(null));
        Assert.False(app.HasClientLeft);
        await app.WriteAsync(Refused);
        await app.CloseAsync();
        Assert.Equal(Refused, client.ReadTo(null));
    }

    [Fact]
    public async Task AClientThatLeaves_AbortsItsRequest()
    {
        await using var rig = new AppRig(mode);
        var (client, app) = await rig.AskAsync(Get);
        client.Shutdown(SocketShutdown.Send);
        await Wait.UntilAsync(() => app.HasClientLeft);
        Assert.Equal("", await app.ReadToAsync(null));
        Assert.True(await app.IsUnreadAsync());
    }

    [Fact]
    public async Task AClientThatLeavesBetweenRequests_EndsItsConnectionInOrder()
    {
        await using var rig = new AppRig(mode);
        var (client, app) = await rig.AskAsync(Get);
        await app.WriteAsync(One);
        DirectRig.ReadTo(client, "one");
        var end = app.ReadToAsync(null);
        await rig.TurnAsync();
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("", await end);
        Assert.False(app.HasClientLeft);
        Assert.Equal("", DirectRig.ReadTo(client, null));
    }

    [Fact]
    public async Task AServerThatBreaksOff_BreaksTheClientsConnection()
    {
        await using var rig = new AppRig(mode);
        var (client, app) = await rig.AskAsync(Get);
        app.Connection.Abort(new ConnectionAbortedException());
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => DirectRig.ReadTo(client, null)).SocketErrorCode);
    }

    // Its answer is the last one: what is left of the request goes nowhere, and does not hold it up.
    [Fact]
    public async Task AServerThatReadsNoMore_CanStillAnswer()
    {
        await using var rig = new AppRig(mode);
        var (client, app) = await rig.AskAsync(Post);
        await app.Connection.Input.CompleteAsync();
        DirectRig.Send(client, "abc");
        await rig.TurnAsync();
        DirectRig.Send(client, "defghi");
        await rig.TurnAsync();
        await app.WriteAsync(Refused);
        await app.CloseAsync();
        Assert.Equal(Refused, DirectRig.ReadTo(client, null));
    }

    [Fact]
    public async Task AServerThatReadsNothing_StopsTheClient_AndLosesNothing()
    {
        const int Length = 64 * 1024 * 1024;
        await using var rig = new AppRig(mode);
        var client = rig.Connect();
        var head = Post.Replace("9", $"{Length}", StringComparison.Ordinal);
        DirectRig.Send(client, head);
        var app = await rig.AcceptAsync();
        Assert.Equal(head, await app.ReadToAsync("\r\n\r\n"));
        client.Blocking = false;
        var (part, sent, stalls) = (new byte[100_000], 0, 0);
        while (stalls < 20 && sent < Length)
        {
            var count = client.Send(part.AsSpan(0, Math.Min(part.Length, Length - sent)), SocketFlags.None, out _);
            (sent, stalls) = (sent + Math.Max(count, 0), count > 0 ? 0 : stalls + 1);
            await rig.TurnAsync();
        }

        Assert.InRange(sent, 1, Length - 1);
        client.Blocking = true;
        var sending = Task.Run(() => client.Send(new byte[Length - sent]));
        Assert.Equal(Length, await app.CountAsync(Length));
        await sending;
        await app.WriteAsync(One);
        Assert.Equal(One, DirectRig.ReadTo(client, "one"));
    }

    [Fact]
    public async Task AClientThatReadsNothing_StopsTheServer_AndLosesNothing()
    {
        const int Length = 64 * 1024 * 1024;
        await using var rig = new AppRig(mode);
        var (client, app) = await rig.AskAsync(Get);
        var head = $"HTTP/1.1 200 OK\r\nContent-Length: {Length}\r\n\r\n";
        await app.WriteAsync(head);
        var (part, sent) = (new byte[100_000], 0);
        ValueTask<FlushResult> flush = default;
        for (var stalls = 0; stalls < 20 && sent < Length;)
        {
            if (flush.IsCompleted)
            {
                var count = Math.Min(part.Length, Length - sent);
#pragma warning disable CA2012 // Looked at again, and awaited once.
                flush = app.Connection.Output.WriteAsync(part.AsMemory(0, count));
#pragma warning restore CA2012
                (sent, stalls) = (sent + count, 0);
            }
            else
            {
                stalls++;
            }

            await rig.TurnAsync();
        }

        Assert.InRange(sent, 1, Length - 1);
        var sending = SendRestAsync();
        var (buffer, read) = (new byte[64 * 1024], -head.Length);
        while (read < Length && client.Receive(buffer) is > 0 and var got) read += got;
        Assert.Equal(Length, read);
        await sending;

        async Task SendRestAsync()
        {
            await flush;
            for (; sent < Length; sent += part.Length) await app.Connection.Output.WriteAsync(part.AsMemory(0, Math.Min(part.Length, Length - sent)));
        }
    }

    public sealed class OnIoUring() : AppExchangeTests(ReactorMode.IoUring);

    public sealed class OnEpoll() : AppExchangeTests(ReactorMode.Epoll);
}

using System.Net.Sockets;
using System.Text;
using StickyWs.Configuration;
using StickyWs.Direct;
using StickyWs.TestKit;
using StickyWs.Tls;

namespace StickyWs.Tests.Direct;

/// <summary>Clients of the direct lane that speak TLS.</summary>
public abstract class DirectTlsTests(ReactorMode mode)
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none";
    private const byte Handshake = 22;

    [Fact]
    public async Task Requests_AreOpenedAndAnswersSealed()
    {
        await using var rig = new DirectRig(mode);
        using var client = rig.ConnectTls(out _);
        client.Send(Get);
        var backend = await rig.AcceptAsync();
        Assert.Contains("\r\nX-Forwarded-Proto: https\r\n", DirectRig.ReadTo(backend, "\r\n\r\n"), StringComparison.Ordinal);
        for (var i = 0; i < 3; i++)
        {
            DirectRig.Send(backend, Ok);
            Assert.Equal(Ok, client.ReadTo("one"));
            Assert.Equal(i + 1, client.Records);
            client.Send(Get);
            DirectRig.ReadTo(backend, "\r\n\r\n");
        }
    }

    // What came with the end of the handshake, and what its client has still to get of it.
    [Fact]
    public async Task TheFirstRequest_ComesWithTheHandshake_AndTicketsGoWithItsAnswer()
    {
        await using var rig = new DirectRig(mode);
        using var client = rig.ConnectTls(out _, first: Get, owed: "ticket");
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        Assert.Equal(0, client.Socket.Available);
        DirectRig.Send(backend, Ok);
        Assert.Equal("ticket" + Ok, client.ReadTo("one"));
    }

    // Two answers of one turn.
    [Fact]
    public async Task WhatATurnSends_IsOneRecord()
    {
        await using var rig = new DirectRig(mode);
        using var client = rig.ConnectTls(out _);
        client.Send(Get);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        const string Hint = "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n";
        DirectRig.Send(backend, Hint + Ok);
        Assert.Equal(Hint + Ok, client.ReadTo("one"));
        Assert.Equal(1, client.Records);
    }

    [Fact]
    public async Task Records_InSingleBytes_AreTheSame()
    {
        await using var rig = new DirectRig(mode);
        using var client = rig.ConnectTls(out _);
        Socket? backend = null;
        foreach (var text in (string[])[Get, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"])
        {
            foreach (var one in client.Seal(text))
            {
                client.Socket.Send([one]);
                await rig.Reactor.TurnAsync();
            }

            backend ??= await rig.AcceptAsync();
            Assert.StartsWith(text[..8], DirectRig.ReadTo(backend, text[^4..]), StringComparison.Ordinal);
            DirectRig.Send(backend, Ok);
            Assert.Equal(Ok, client.ReadTo("one"));
        }
    }

    // The client's after each of its records, and ours, unasked, after each of ours.
    [Fact]
    public async Task KeysThatChangeWithinMessages_AreFollowed()
    {
        await using var rig = new DirectRig(mode);
        using var client = rig.ConnectTls(out _, recordsPerKey: 1);
        client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Le");
        client.Send("ngth: 6\r\n\r\nab");
        client.Send("cd");
        client.Send("ef");
        var backend = await rig.AcceptAsync();
        Assert.EndsWith("\r\n\r\nabcdef", DirectRig.ReadTo(backend, "abcdef"), StringComparison.Ordinal);
        DirectRig.Send(backend, Ok[..^2]);
        Assert.Equal(Ok[..^2], client.ReadTo("o"));
        DirectRig.Send(backend, Ok[^2..]);
        Assert.Equal("ne", client.ReadTo("ne"));
    }

    // Before the answer goes out, the key that it was asked to leave is left.
    [Fact]
    public async Task AKeyUpdateThatAsksForOne_IsAnsweredWithTheNextAnswer()
    {
        await using var rig = new DirectRig(mode);
        using var client = rig.ConnectTls(out _);
        const string Post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
        client.Socket.Send(client.Forge.Data(Encoding.Latin1.GetBytes(Post + "a")));
        client.Socket.Send(client.Forge.Seal(Handshake, [24, 0, 0, 1, 1]));
        client.Forge.Update();
        client.Socket.Send(client.Forge.Data("b"u8));
        var backend = await rig.AcceptAsync();
        Assert.EndsWith("\r\n\r\nab", DirectRig.ReadTo(backend, "ab"), StringComparison.Ordinal);
        DirectRig.Send(backend, Ok);
        Assert.Equal(Ok, client.ReadTo("one"));
        Assert.Equal(2, client.Records);
    }

    [Fact]
    public async Task ACloseNotify_IsAHalfClose_AndIsAnsweredInOrder()
    {
        await using var rig = new DirectRig(mode);
        using var client = rig.ConnectTls(out var connection);
        client.Socket.Send([.. client.Seal(Get + Get), .. client.CloseNotify()]);
        var backend = await rig.AcceptAsync();
        for (var i = 0; i < 2; i++)
        {
            DirectRig.ReadTo(backend, "\r\n\r\n");
            DirectRig.Send(backend, Ok);
        }

        Assert.Equal(Ok + Ok, client.ReadTo(null));
        AssertEndedInOrder(client);
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.False(await connection.Serving!.WaitAsync(Wait.Bound));
    }

    [Fact]
    public async Task ACloseNotify_WithinABody_Is400()
    {
        await using var rig = new DirectRig(mode);
        using var client = rig.ConnectTls(out _);
        client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "abc");
        client.Socket.Send(client.CloseNotify());
        Assert.StartsWith("HTTP/1.1 400", client.ReadTo(null), StringComparison.Ordinal);
        AssertEndedInOrder(client);
        Assert.Equal("", ReadRest(backend));
    }

    [Fact]
    public async Task AnAnswerThatCloses_IsFollowedByACloseNotify()
    {
        await using var rig = new DirectRig(mode);
        using var client = rig.ConnectTls(out _);
        client.Send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        DirectRig.Send(backend, Ok);
        Assert.EndsWith("\r\nConnection: close\r\n\r\none", client.ReadTo(null), StringComparison.Ordinal);
        AssertEndedInOrder(client);
    }

    [Fact]
    public async Task ARecordThatCannotBeOpened_GetsAnAlert_AndItsRequestEnds()
    {
        await using var rig = new DirectRig(mode);
        using var client = rig.ConnectTls(out var connection);
        client.Send(Get);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        var record = client.Seal("x");
        record[^1] ^= 1;
        client.Socket.Send(record);
        Assert.Equal("", client.ReadTo(null));
        Assert.Contains("bad_record_mac", client.FailureReason, StringComparison.Ordinal);
        Assert.Equal("", ReadRest(backend));
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.False(await connection.Serving!.WaitAsync(Wait.Bound));
    }

    // The same without a request under way, and with a good one before it in one packet: nothing could be answered.
    [Fact]
    public async Task ARequestBeforeABadRecord_IsNotSentOn()
    {
        await using var rig = new DirectRig(mode);
        using var client = rig.ConnectTls(out var connection);
        client.Socket.Send([.. client.Seal(Get), 22, 3, 3, 0, 1, 0]);
        Assert.Equal("", client.ReadTo(null));
        Assert.Contains("unexpected_message", client.FailureReason, StringComparison.Ordinal);
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.False(await connection.Serving!.WaitAsync(Wait.Bound));
        Assert.Equal(0, rig.Backend.ActiveRequests);
    }

    // A whole request is in what has come of the record, and none of it counts.
    [Fact]
    public async Task AFinWithinARecord_BreaksTheConnection()
    {
        await using var rig = new DirectRig(mode);
        using var client = rig.ConnectTls(out var connection);
        client.Socket.Send(client.Seal(Get).AsSpan()[..^1]);
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.False(await connection.Serving!.WaitAsync(Wait.Bound));
        Assert.Throws<SocketException>(() => client.ReadTo(null));
    }

    [Fact]
    public async Task ABareFin_BetweenRequests_IsAnEnd()
    {
        await using var rig = new DirectRig(mode);
        using var client = rig.ConnectTls(out _);
        client.Send(Get);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        DirectRig.Send(backend, Ok);
        client.ReadTo("one");
        client.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("", client.ReadTo(null));
        AssertEndedInOrder(client);
    }

    [Fact]
    public async Task AHeadThatIsNotForTheLane_GoesOnWithItsTls()
    {
        await using var rig = new DirectRig(mode);
        const string Rest = "GET / HTTP/1.0\r\nHost: a\r\n\r\nand more";
        using var client = rig.ConnectTls(out var connection, owed: "ticket");
        var half = client.Seal("!");
        client.Socket.Send([.. client.Forge.Data(Encoding.Latin1.GetBytes(Rest)), .. half[..7]]);
        Assert.True(await connection.Serving!.WaitAsync(Wait.Bound));
        var back = connection.Back!.Value;
        Assert.Equal(Rest, Encoding.Latin1.GetString(back.Prefix.Span));
        Assert.True(back.Tls!.HoldsPart);
        Assert.False(back.Owed.IsEmpty);
        back.Tls.Dispose();
    }

    // The answer before it waits for the end of the turn to be sealed.
    [Fact]
    public async Task AHeadThatIsNotForTheLane_GoesOnBehindTheAnswerBeforeIt()
    {
        await using var rig = new DirectRig(mode);
        const string Rest = "GET / HTTP/1.0\r\nHost: a\r\n\r\n";
        using var client = rig.ConnectTls(out var connection);
        client.Send(Get + Rest);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        DirectRig.Send(backend, Ok);
        Assert.Equal(Ok, client.ReadTo("one"));
        Assert.True(await connection.Serving!.WaitAsync(Wait.Bound));
        var back = connection.Back!.Value;
        Assert.Equal(Rest, Encoding.Latin1.GetString(back.Prefix.Span));
        back.Tls!.Dispose();
    }

    [Fact]
    public async Task AHandshake_GoesOnWithItsTls()
    {
        await using var rig = new DirectRig(mode);
        var rest = HttpHead.Handshake() + "and more";
        using var client = rig.ConnectTls(out var connection, owed: "ticket");
        var half = client.Seal("!");
        client.Socket.Send([.. client.Forge.Data(Encoding.Latin1.GetBytes(rest)), .. half[..7]]);

        var departure = await connection.Leaving!.WaitAsync(Wait.Bound);

        Assert.Equal((DepartureWay.ToTunnel, rest), (departure.Way, Encoding.Latin1.GetString(departure.Plain.Span)));
        Assert.True(departure.Tls!.HoldsPart);
        Assert.False(departure.Owed.IsEmpty);
        departure.Tls.Dispose();
        connection.Bare.Dispose();
    }

    // Of 64 MB, what the kernel's buffers hold and little more has left the backend while the client reads nothing.
    [Fact]
    public async Task AClientThatReadsNothing_StopsTheBackend_AndLosesNothing()
    {
        const int Length = 64 * 1024 * 1024;
        await using var rig = new DirectRig(mode);
        using var client = rig.ConnectTls(out _);
        client.Send(Get);
        var backend = await rig.AcceptAsync();
        DirectRig.ReadTo(backend, "\r\n\r\n");
        var head = $"HTTP/1.1 200 OK\r\nContent-Length: {Length}\r\n\r\n";
        DirectRig.Send(backend, head);
        backend.Blocking = false;
        var (sent, stalls) = (0, 0);
        while (stalls < 20 && sent < Length)
        {
            var count = SendSome(backend, sent, Length);
            (sent, stalls) = (sent + count, count == 0 ? stalls + 1 : 0);
            await rig.Reactor.TurnAsync();
        }

        Assert.InRange(sent, 1, Length - 1);
        backend.Blocking = true;
        var sending = Task.Run(() =>
        {
            while (sent < Length) sent += SendSome(backend, sent, Length);
        });
        var (buffer, read) = (new byte[64 * 1024], -head.Length);
        while (read < Length)
        {
            var plain = client.Receive(buffer);
            Assert.False(plain.IsEmpty, $"It ended after {read} bytes.");
            foreach (var one in plain)
            {
                if (read >= 0 && one != (byte)(read % 251)) Assert.Fail($"Byte {read} is another.");
                read++;
            }
        }

        await sending;
    }

    [Fact]
    public async Task AnExchange_InTheSteadyState_AllocatesNothing()
    {
        await using var rig = new DirectRig(mode);
        using var client = rig.ConnectTls(out _);
        client.Send(Get);
        var backend = await rig.AcceptAsync();
        Exchange(2000);
        var before = await rig.Reactor.DoAsync(GC.GetAllocatedBytesForCurrentThread);
        Exchange(2000);
        var after = await rig.Reactor.DoAsync(GC.GetAllocatedBytesForCurrentThread);
        Assert.InRange(after - before, 0, 16_000);

        void Exchange(int count)
        {
            var (bytes, request, answer) = (new byte[4096], Encoding.Latin1.GetBytes(Get), Encoding.Latin1.GetBytes(Ok));
            for (var i = 0; i < count; i++)
            {
                var length = 0;
                while (!bytes.AsSpan(0, length).EndsWith("\r\n\r\n"u8)) length += backend.Receive(bytes.AsSpan(length));
                backend.Send(answer);
                for (var opened = 0; opened < answer.Length;) opened += client.Open(bytes.AsSpan(0, client.Socket.Receive(bytes)));
                client.Socket.Send(client.Seal(request));
            }
        }
    }

    private static int SendSome(Socket socket, int from, int to)
    {
        var part = new byte[Math.Min(100_000, to - from)];
        for (var i = 0; i < part.Length; i++) part[i] = (byte)((from + i) % 251);
        var sent = socket.Send(part, SocketFlags.None, out var error);
        Assert.True(error is SocketError.Success or SocketError.WouldBlock, error.ToString());
        return sent;
    }

    private static void AssertEndedInOrder(TlsSocket client)
    {
        Assert.Equal(TlsStatus.PeerClosed, client.Status);
        Assert.Equal(0, client.Socket.Receive(new byte[1]));
    }

    // To its end, in order or not.
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

    public sealed class OnIoUring() : DirectTlsTests(ReactorMode.IoUring);

    public sealed class OnEpoll() : DirectTlsTests(ReactorMode.Epoll);
}

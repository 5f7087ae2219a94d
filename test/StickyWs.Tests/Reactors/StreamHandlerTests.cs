using System.Net.Sockets;
using System.Text;
using StickyWs.Configuration;
using StickyWs.Kernel;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.TestKit;
using StickyWs.Transport;

namespace StickyWs.Tests.Reactors;

/// <summary>
/// The seam of the reactors, as a handler sees it that is neither the relay nor a channel: it changes what passes, puts something of its own between
/// two pieces, and swallows some.
/// </summary>
public abstract class StreamHandlerTests(ReactorMode mode, bool isOlder = false)
{
    private const int Large = 8_000_000;

    // Lower case becomes upper case, a digit is swallowed, a comma has "<own>" behind it, and all else passes as it came.
    [Theory]
    [InlineData("hello, world 42!", "HELLO,<own> WORLD !")]
    [InlineData("PASSES", "PASSES")]
    [InlineData("12345", "")]
    [InlineData(",,,", ",<own>,<own>,<own>")]
    public async Task Text_IsChangedInsertedIntoAndSwallowed(string sent, string expected)
    {
        await using var rig = new RelayRig(onFailure => ReactorKind.Create(mode, onFailure, isOlder: isOlder));
        using var pair = await Shouter.JoinAsync(rig);

        for (var i = 0; i < 20; i++)
        {
            await pair.Left.WriteAsync(sent);
            Assert.Equal(expected, await pair.Right.ReadTextAsync(expected.Length));
            await pair.Right.WriteAsync("back " + sent);
            Assert.Equal("BACK " + expected, await pair.Left.ReadTextAsync(5 + expected.Length));
        }

        await pair.Left.WriteAsync("end");
        await pair.Left.FinishAsync();
        Assert.Equal("END", await pair.Right.ReadTextAsync(3));
        Assert.True(await pair.Right.EndsInOrderAsync());
    }

    // More than the reactor has buffers, and than the kernel takes in one message (1,024).
    [Theory]
    [InlineData(300)]
    [InlineData(5000)]
    public async Task WhatIsWrittenBehindAPiece_InHoweverManyParts_ArrivesWhole(int parts)
    {
        await using var rig = new RelayRig(onFailure => ReactorKind.Create(mode, onFailure, isOlder: isOlder));
        using var pair = await Shouter.JoinAsync(rig);
        pair.PartsBehindComma = parts;
        var expected = Shouter.Change(",", parts);

        for (var i = 0; i < 3; i++)
        {
            await pair.Left.WriteAsync(",");
            Assert.Equal(expected, await pair.Right.ReadTextAsync(expected.Length));
        }
    }

    // In every order of moved, copied and inserted bytes, through a reader that stalls.
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(4, true)]
    [InlineData(5, true)]
    [InlineData(6, true)]
    public async Task Bulk_OfAllKinds_ArrivesInOrderAndWholeThoughItsReaderStalls(int seed, bool isAppended)
    {
        await using var rig = new RelayRig(onFailure => ReactorKind.Create(mode, onFailure, isOlder: isOlder));
        using var pair = await Shouter.JoinAsync(rig);
        pair.AppendsAll = isAppended;
        var random = new Random(seed);
        var sent = new StringBuilder();
        while (sent.Length < Large)
        {
            sent.Append(random.Next(6) switch
            {
                0 => new string('a', random.Next(1, 40_000)),
                1 => new string('A', random.Next(1, 40_000)),
                2 => ",",
                3 => new string('7', random.Next(1, 3000)),
                4 => "x,y,Z,",
                _ => new string('-', random.Next(1, 9000)),
            });
        }

        var expected = Shouter.Change(sent.ToString());
        var writing = Task.Run(async () =>
        {
            await pair.Left.WriteAsync(Encoding.ASCII.GetBytes(sent.ToString()));
            await pair.Left.FinishAsync();
        });
        await Wait.UntilAsync(() => pair.Stalls > 0 || writing.IsCompleted); // Where the kernel has no room for all of it.
        var got = Encoding.ASCII.GetString(await pair.Right.ReadToEndAsync());
        await writing;

        Assert.True(expected == got, $"{got.Length} bytes arrived that are not the {expected.Length} that were meant.");
    }

    // What is spliced is not told of, and what comes behind the limit is.
    [Fact]
    public async Task Splice_WithALimit_GoesUnseenThatFarAtMost()
    {
        await using var rig = new RelayRig(onFailure => ReactorKind.Create(mode, onFailure, isOlder: isOlder));
        using var pair = await Shouter.JoinAsync(rig);
        const int limit = 1_000_000;
        await rig.DoAsync(() =>
        {
            rig.Reactor.Splice(pair.LeftNumber, pair.RightNumber, limit);
            return 0;
        });

        var writing = Task.Run(async () =>
        {
            await pair.Left.WriteAsync(Encoding.ASCII.GetBytes(new string('a', Large)));
            await pair.Left.FinishAsync();
        });
        var got = Encoding.ASCII.GetString(await pair.Right.ReadToEndAsync());
        await writing;

        Assert.Equal(Large, got.Length);
        Assert.InRange(pair.SplicedBytes, 1, limit);
        Assert.Equal(pair.SplicedBytes, got.Count(letter => letter == 'a'));
        Assert.Equal(Large - pair.SplicedBytes, got.Count(letter => letter == 'A'));
    }

    // Whether the spliced bytes are with the kernel or still in their pipe, and however long what is written waits for the turn's end.
    [Fact]
    public async Task WhatIsAppendedBehindASplice_StaysBehindItAndBeforeTheNext()
    {
        await using var rig = new RelayRig(onFailure => ReactorKind.Create(mode, onFailure, isOlder: isOlder));
        using var pair = await Shouter.JoinAsync(rig);
        pair.AppendsBehindSplices = true;
        await rig.DoAsync(() =>
        {
            rig.Reactor.Splice(pair.LeftNumber, pair.RightNumber, int.MaxValue);
            return 0;
        });

        var writing = Task.Run(async () =>
        {
            await pair.Left.WriteAsync(Encoding.ASCII.GetBytes(new string('a', Large)));
            await pair.Left.FinishAsync();
        });
        await Wait.UntilAsync(() => pair.Stalls > 0 || writing.IsCompleted);
        var got = Encoding.ASCII.GetString(await pair.Right.ReadToEndAsync());
        await writing;

        Assert.InRange(pair.SplicedBytes, 1, Large);
        var meant = pair.Meant.ToString();
        Assert.True(meant == got, $"{got.Length} bytes arrived that are not the {meant.Length} that were meant.");
    }

    /// <summary>Two connections whose bytes go to each other, changed.</summary>
    private sealed class Shouter : IStreamHandler, IDisposable
    {
        private const string Own = "<own>";

        private readonly Reactor _reactor;
        private int _open = 2;

        private Shouter(Reactor reactor, Wire left, Wire right) => (_reactor, Left, Right) = (reactor, left, right);

        public Wire Left { get; }

        public Wire Right { get; }

        public int LeftNumber { get; private set; }

        public int RightNumber { get; private set; }

        public long SplicedBytes { get; private set; }

        public int Stalls { get; private set; }

        public int PartsBehindComma { get; set; } = 1;

        public bool AppendsBehindSplices { get; set; }

        /// <summary>Whether what passes as it came is appended, not forwarded.</summary>
        public bool AppendsAll { get; set; }

        /// <summary>What should arrive, if that is set and no more than letters in lower case are sent.</summary>
        public StringBuilder Meant { get; } = new();

        public static async Task<Shouter> JoinAsync(RelayRig rig)
        {
            var (left, leftFd) = rig.Connect();
            var (right, rightFd) = rig.Connect();
            var shouter = new Shouter(rig.Reactor, new Wire(left, new NetworkStream(left)), new Wire(right, new NetworkStream(right)));
            await rig.DoAsync(() =>
            {
                var (leftSocket, rightSocket) = (new RawSocket(rig.Reactor, leftFd).ReleaseWatched(), new RawSocket(rig.Reactor, rightFd).ReleaseWatched());
                (shouter.LeftNumber, shouter.RightNumber) = (leftSocket.Number, rightSocket.Number);
                rig.Reactor.BeginStream(leftSocket.Number, shouter, place: 1);
                rig.Reactor.BeginStream(rightSocket.Number, shouter, place: 2);
                return 0;
            });
            return shouter;
        }

        public static string Change(string text, int parts = 1)
            => string.Concat(text.Where(letter => !char.IsAsciiDigit(letter))
                .Select(letter => letter == ',' ? "," + string.Concat(Enumerable.Repeat(Own, parts)) : char.ToUpperInvariant(letter).ToString()));

        public void Received(int socket, in Piece piece)
        {
            var to = Other(socket);
            var hasRoom = true;
            if (AppendsBehindSplices) Meant.Append('A', piece.Bytes.Length);
            var rest = piece.Bytes;
            while (!rest.IsEmpty)
            {
                var run = Run(rest);
                var part = rest[..run];
                rest = rest[run..];
                if (part[0] == (byte)',') hasRoom = ForwardComma(to, piece.Slice(part));
                else if (char.IsAsciiLetterLower((char)part[0]))
                    hasRoom = _reactor.Write(to, Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(part).ToUpperInvariant()));
                else if (!char.IsAsciiDigit((char)part[0])) hasRoom = Pass(to, piece.Slice(part));
            }

            if (!hasRoom) Stalled(to);
        }

        public void Spliced(int socket, int count)
        {
            SplicedBytes += count;
            if (!AppendsBehindSplices) return;
            Meant.Append('a', count).Append(Own);
            if (!_reactor.Append(Other(socket), Encoding.ASCII.GetBytes(Own))) Stalled(Other(socket));
        }

        public void Finished(int socket)
        {
            _reactor.FinishSending(Other(socket));
            if (--_open == 0) Close();
        }

        public void Stalled(int socket)
        {
            Stalls++;
            _reactor.Pause(Other(socket));
        }

        public void Sent(int socket) => _reactor.Resume(Other(socket));

        public void Broken(int socket, Errno error) => Close();

        public void BrokenWhilePaused(int socket)
        {
        }

        public void Fail(int socket) => Close();

        public void Dispose()
        {
            Left.Socket.Dispose();
            Right.Socket.Dispose();
        }

        private bool ForwardComma(int to, in Piece comma)
        {
            var hasRoom = Pass(to, comma);
            for (var i = 0; i < PartsBehindComma; i++) hasRoom = _reactor.Write(to, Encoding.ASCII.GetBytes(Own));
            return hasRoom;
        }

        private bool Pass(int to, in Piece piece) => AppendsAll ? _reactor.Append(to, piece.Bytes) : _reactor.Forward(to, piece);

        // Bytes of one kind; of the kind that has something put behind it, one.
        private static int Run(ReadOnlySpan<byte> bytes)
        {
            var kind = KindOf(bytes[0]);
            if (kind == 0) return 1;
            var length = 1;
            while (length < bytes.Length && KindOf(bytes[length]) == kind) length++;
            return length;
        }

        private static int KindOf(byte letter) => letter == (byte)',' ? 0 : char.IsAsciiLetterLower((char)letter) ? 1 : char.IsAsciiDigit((char)letter) ? 2 : 3;

        private int Other(int socket) => socket == LeftNumber ? RightNumber : LeftNumber;

        private void Close()
        {
            if (LeftNumber == RightNumber) return;
            var (left, right) = (LeftNumber, RightNumber);
            LeftNumber = RightNumber = -1;
            _reactor.Close(left, isReset: false);
            _reactor.Close(right, isReset: false);
        }
    }

    public sealed class OnEpoll() : StreamHandlerTests(ReactorMode.Epoll);

    public sealed class OnIoUring() : StreamHandlerTests(ReactorMode.IoUring);

    public sealed class OnOlderIoUring() : StreamHandlerTests(ReactorMode.IoUring, isOlder: true);
}

using System.Buffers;
using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using StickyWs.Detection;
using StickyWs.Http1;
using StickyWs.TestKit;
using StickyWs.Tls;

namespace StickyWs.Tests.Detection;

public sealed class HelloReaderTests
{
    private const string Name = "mail.example.com";

    private static readonly byte[] SomeList = [0, 2, 1, 2];

    private static readonly Dictionary<string, (byte[] Bytes, string Alert)> Faults = new()
    {
        ["another message"] = (HelloForge.Records(HelloForge.Message(HelloForge.Body(), type: 2)), nameof(TlsAlert.unexpected_message)),
        ["an alert within it"] = ([.. Halves().First, 21, 3, 1, 0, 2, 1, 0], nameof(TlsAlert.unexpected_message)),
        ["another version within it"] = ([.. Halves().First, 22, 2, 0, 0, 1], nameof(TlsAlert.protocol_version)),
        ["an empty record"] = ([.. Halves().First, 22, 3, 1, 0, 0], nameof(TlsAlert.unexpected_message)),
        ["an empty first record"] = ([22, 3, 1, 0, 0], nameof(TlsAlert.unexpected_message)),
        ["a record that is too long"] = ([22, 3, 1, 0x40, 1], nameof(TlsAlert.record_overflow)),
        ["something behind it in its record"] = (HelloForge.Records([.. Message(), 0]), nameof(TlsAlert.unexpected_message)),
        ["version 2"] = (Whole([2, .. HelloForge.Body()[1..]]), nameof(TlsAlert.protocol_version)),
        ["no body"] = (Whole([]), nameof(TlsAlert.decode_error)),
        ["half a random"] = (Whole(HelloForge.Body()[..20]), nameof(TlsAlert.decode_error)),
        ["a session id of 33 bytes"] = (Whole(HelloForge.BodyOf([], session: new byte[33])), nameof(TlsAlert.decode_error)),
        ["no suites"] = (Whole(HelloForge.BodyOf([], suites: [])), nameof(TlsAlert.decode_error)),
        ["half a suite"] = (Whole(HelloForge.BodyOf([], suites: [0x13, 1, 0])), nameof(TlsAlert.decode_error)),
        ["no compressions"] = (Whole(HelloForge.BodyOf([], compressions: [])), nameof(TlsAlert.decode_error)),
        ["extensions that are too short"] = (Whole(HelloForge.BodyOf([0, 3, 0, 23, 0])), nameof(TlsAlert.decode_error)),
        ["extensions that are too long"] = (Whole(HelloForge.BodyOf([0, 9, 0, 23, 0, 0])), nameof(TlsAlert.decode_error)),
        ["a length of extensions alone"] = (Whole(HelloForge.BodyOf([0])), nameof(TlsAlert.decode_error)),
        ["something behind the extensions"] = (Whole(HelloForge.BodyOf([0, 4, 0, 23, 0, 0, 0])), nameof(TlsAlert.decode_error)),
        ["two extensions alike"] = (Whole(HelloForge.Body((23, []), (5, []), (23, []))), nameof(TlsAlert.illegal_parameter)),
        ["two of a made-up type"] = (Whole(HelloForge.Body((0x0A0A, []), (0x0A0A, []))), nameof(TlsAlert.illegal_parameter)),
        ["two server names"] = (Whole(HelloForge.Body(HelloForge.ServerName("a.test"), HelloForge.ServerName("b.test"))), nameof(TlsAlert.illegal_parameter)),
        ["a key behind which something follows"] = (Whole(HelloForge.Body((41, [1]), (23, []))), nameof(TlsAlert.illegal_parameter)),
        ["no list of names"] = (Whole(HelloForge.Body((0, []))), nameof(TlsAlert.decode_error)),
        ["an empty list of names"] = (Whole(HelloForge.Body((0, [0, 0]))), nameof(TlsAlert.decode_error)),
        ["a list of two names"] = (Whole(HelloForge.Body((0, HelloForge.Vector(2, [0, 0, 1, (byte)'a', 0, 0, 1, (byte)'b'])))), nameof(TlsAlert.decode_error)),
        ["a name of another type"] = (Whole(HelloForge.Body((0, HelloForge.Vector(2, [1, 0, 1, (byte)'a'])))), nameof(TlsAlert.decode_error)),
        ["a name that ends early"] = (Whole(HelloForge.Body((0, HelloForge.Vector(2, [0, 0, 2, (byte)'a'])))), nameof(TlsAlert.decode_error)),
        ["something behind the list of names"] = (Whole(HelloForge.Body((0, [0, 4, 0, 0, 1, (byte)'a', 0]))), nameof(TlsAlert.decode_error)),
        ["a name without a letter"] = (Whole(HelloForge.Body(HelloForge.ServerName(""))), nameof(TlsAlert.decode_error)),
        ["a name of 256 bytes"] = (Whole(HelloForge.Body(HelloForge.ServerName(new string('a', 256)))), nameof(TlsAlert.unrecognized_name)),
        ["a name with a zero"] = (Whole(HelloForge.Body(HelloForge.ServerName("a\0.example"))), nameof(TlsAlert.unrecognized_name)),
        ["no list of protocols"] = (Whole(HelloForge.Body((16, [0, 0]))), nameof(TlsAlert.decode_error)),
        ["a protocol without a name"] = (Whole(HelloForge.Body(HelloForge.Protocols("h2", ""))), nameof(TlsAlert.decode_error)),
        ["a protocol that ends early"] = (Whole(HelloForge.Body((16, [0, 3, 3, (byte)'h', (byte)'2']))), nameof(TlsAlert.decode_error)),
        ["a length beyond the cap"] = ([22, 3, 1, 0, 4, 1, 0, 0x80, 0], nameof(TlsAlert.illegal_parameter)),
        ["records of one byte beyond the cap"] = (HelloForge.Records(HelloForge.Message(new byte[8000]), 1), nameof(TlsAlert.illegal_parameter)),
    };

    public static TheoryData<string> FaultNames => [.. Faults.Keys];

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    [InlineData(SslProtocols.Tls12 | SslProtocols.Tls13)]
    public async Task Read_HelloOfTheRuntime_NamesItsServerAndProtocols(SslProtocols protocols)
    {
        var bytes = await HelloForge.OfRuntimeAsync("Mail.Example.com", protocols, SslApplicationProtocol.Http2, SslApplicationProtocol.Http11);

        Assert.Equal(new ClientHello(bytes.Length, Name, "h2,http/1.1"), Complete(bytes));
    }

    [Fact]
    public void Read_SplitAnywhere_IsTheSameHello()
    {
        var bytes = HelloForge.Records(Message(), 60);
        for (var split = 0; split < bytes.Length; split++)
        {
            var reader = default(HelloReader);
            Assert.Equal(HelloState.NeedMore, reader.Read(new ReadOnlySequence<byte>(bytes, 0, split), out _));
            Assert.Equal(HelloState.Complete, reader.Read(Pieces.Of(bytes, split), out var hello));
            Assert.Equal(new ClientHello(bytes.Length, Name), hello);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(70)]
    [InlineData(16384)]
    public void Read_RecordsOfAnySizeByteByByte_IsTheSameHello(int size)
    {
        var bytes = HelloForge.Records(Message(), size);
        var reader = default(HelloReader);
        for (var length = 1; length < bytes.Length; length++)
            Assert.Equal(HelloState.NeedMore, reader.Read(new ReadOnlySequence<byte>(bytes, 0, length), out _));

        Assert.Equal(HelloState.Complete, reader.Read(new ReadOnlySequence<byte>(bytes), out var hello));
        Assert.Equal(new ClientHello(bytes.Length, Name), hello);
    }

    [Fact]
    public void Read_WhatFollowsInAnotherRecord_IsLeft()
    {
        var bytes = HelloForge.Hello(Name);

        Assert.Equal(bytes.Length, Complete([.. bytes, 23, 3, 3, 0, 1, 0]).Length);
    }

    [Theory]
    [MemberData(nameof(FaultNames))]
    public void Read_BrokenRule_IsAFaultWithItsAlert(string fault)
    {
        var (bytes, alert) = Faults[fault];

        Assert.Equal(HelloState.Faulty, default(HelloReader).Read(new ReadOnlySequence<byte>(bytes), out var hello));
        Assert.Equal(alert, hello!.Fault!.Value.Alert.ToString());
        Assert.NotEmpty(hello.Fault.Value.Cause);

        var byteByByte = default(HelloReader);
        var (state, late) = (HelloState.NeedMore, (ClientHello?)null);
        for (var length = 1; state == HelloState.NeedMore; length++) state = byteByByte.Read(new ReadOnlySequence<byte>(bytes, 0, length), out late);
        Assert.Equal((HelloState.Faulty, hello), (state, late));
    }

    [Fact]
    public void Read_AnyBytesCutOffItsBody_IsAFaultUnlessTheExtensionsGoWhole()
    {
        var body = HelloForge.Body(HelloForge.Usual(Name));
        var withoutExtensions = HelloForge.BodyOf([]).Length;
        for (var length = 0; length < body.Length; length++)
        {
            var state = default(HelloReader).Read(new ReadOnlySequence<byte>(Whole(body[..length])), out var hello);
            Assert.Equal((length, length == withoutExtensions ? HelloState.Complete : HelloState.Faulty), (length, state));
            Assert.Null(hello!.ServerName);
        }
    }

    [Theory]
    [InlineData(new byte[] { 22, 2 })]
    [InlineData(new byte[] { 22, 4, 0 })]
    [InlineData(new byte[] { 0x80, 46, 1, 3, 1 })]
    [InlineData(new byte[] { 23, 3, 3, 0, 1, 0 })]
    public void Read_OtherBytes_AreNotTls(byte[] bytes)
    {
        Assert.Equal(HelloState.NotTls, default(HelloReader).Read(new ReadOnlySequence<byte>(bytes), out var hello));
        Assert.Null(hello);
    }

    [Fact]
    public void Read_LengthsUpToTheCap_AreTaken()
    {
        // Two records, of which the first is full.
        var filling = HelloReader.MostBytes - (2 * 5) - 4 - HelloForge.Body((21, [])).Length;
        var longest = Whole(HelloForge.Body((21, new byte[filling])));
        var longer = Whole(HelloForge.Body((21, new byte[filling + 1])));

        Assert.Equal(HelloReader.MostBytes, Complete(longest).Length);
        Assert.Equal(HelloState.Faulty, default(HelloReader).Read(new ReadOnlySequence<byte>(longer), out _));
        Assert.Equal(HelloState.NeedMore, default(HelloReader).Read(new ReadOnlySequence<byte>(longest, 0, HelloReader.MostBytes - 1), out _));
    }

    [Theory]
    [InlineData("mail.example.com", "mail.example.com")]
    [InlineData("MAIL.Example.Com", "mail.example.com")]
    [InlineData("mail.example.com.", "mail.example.com")]
    [InlineData("localhost", "localhost")]
    [InlineData("my_host.example", "my_host.example")]
    [InlineData("xn--bcher-kva.example", "xn--bcher-kva.example")]
    [InlineData("1.example", "1.example")]
    [InlineData("10.0.0.1", null)]
    [InlineData("10.0.0.1.", null)]
    [InlineData("[::1]", null)]
    [InlineData("::1", null)]
    [InlineData(".", null)]
    [InlineData("a..example", null)]
    [InlineData(".a.example", null)]
    [InlineData("a.example..", null)]
    [InlineData("a b.example", null)]
    [InlineData("*.example", null)]
    [InlineData("b\u00fccher.example", null)]
    [InlineData("a/b", null)]
    [InlineData("a\r\nb", null)]
    public void Read_ServerName_IsAHostOrNone(string sent, string? read) => Assert.Equal(read, Complete(HelloForge.Hello(sent)).ServerName);

    [Theory]
    [InlineData(63, true)]
    [InlineData(64, false)]
    public void Read_LongLabel_IsNoHostBeyond63Letters(int length, bool isHost)
        => Assert.Equal(isHost, Complete(HelloForge.Hello(new string('a', length) + ".example")).ServerName is not null);

    [Fact]
    public void Read_LongestName_IsTaken()
    {
        var name = string.Join('.', Enumerable.Repeat(new string('a', 50), 5));

        Assert.Equal(name, Complete(HelloForge.Hello(name)).ServerName);
        Assert.Null(Complete(HelloForge.Hello(null)).ServerName);
        Assert.Null(Complete(Whole(HelloForge.BodyOf([]))).ServerName);
    }

    [Fact]
    public void Read_EncryptedHelloInside_IsNamedByTheOuter()
        => Assert.Equal("public.example", Complete(HelloForge.Hello("public.example", (0xFE0D, [0, 0, 1, 0, 1, 7, .. SomeList, .. SomeList]))).ServerName);

    [Fact]
    public void Read_Protocols_AreThoseThatCanBePrinted()
        => Assert.Equal("h2,acme-tls/1", Complete(HelloForge.Hello(Name, HelloForge.Protocols("\x5A\x5A", "h2", "a b", "acme-tls/1"))).Protocols);

    [Theory]
    [MemberData(nameof(FaultNames))]
    public void Sniff_FaultyHello_IsTlsWithItsFault(string fault)
    {
        var sniffer = new Sniffer(HeadLimits.Default, readsHello: true);

        Assert.Equal(Verdict.Tls, sniffer.Sniff(new ReadOnlySequence<byte>(Faults[fault].Bytes), out _));
        Assert.NotNull(sniffer.Hello?.Fault);
    }

    [Fact]
    public void Sniff_HelloThatIsRead_IsAwaitedToItsEnd()
    {
        var bytes = HelloForge.Hello(Name);
        var sniffer = new Sniffer(HeadLimits.Default, readsHello: true);

        Assert.Equal(Verdict.NeedMore, sniffer.Sniff(new ReadOnlySequence<byte>(bytes, 0, bytes.Length - 1), out _));
        Assert.True(sniffer is { AwaitsHello: true, HasSeenBytes: true, Hello: null });
        Assert.Equal(Verdict.Tls, sniffer.Sniff(new ReadOnlySequence<byte>(bytes), out _));
        Assert.Equal((false, Name), (sniffer.AwaitsHello, sniffer.Hello?.ServerName));
    }

    [Fact]
    public void Sniff_WhatOnlyBeginsLikeTls_IsLeftToWhoEndsTls()
    {
        var sniffer = new Sniffer(HeadLimits.Default, readsHello: true);

        Assert.Equal(Verdict.Tls, sniffer.Sniff(new ReadOnlySequence<byte>([22, 9, 9]), out _));
        Assert.Null(sniffer.Hello);
    }

    [Fact]
    public void Sniff_HelloThatIsNotRead_IsTlsFromItsFirstByte()
    {
        var sniffer = new Sniffer(HeadLimits.Default);

        Assert.Equal(Verdict.Tls, sniffer.Sniff(new ReadOnlySequence<byte>(HelloForge.Hello(Name), 0, 1), out _));
        Assert.Null(sniffer.Hello);
    }

    [Fact]
    public void Sniff_HandshakeWhereHellosAreRead_IsAWebSocketAsEver()
    {
        var sniffer = new Sniffer(HeadLimits.Default, readsHello: true);

        Assert.Equal(Verdict.WebSocket, sniffer.Sniff(new ReadOnlySequence<byte>(Encoding.Latin1.GetBytes(HttpHead.Handshake())), out var head));
        Assert.NotNull(head);
    }

    private static byte[] Message() => HelloForge.Message(HelloForge.Body(HelloForge.Usual(Name)));

    private static byte[] Whole(byte[] body) => HelloForge.Records(HelloForge.Message(body));

    private static (byte[] First, byte[] Second) Halves()
    {
        var bytes = HelloForge.Records(Message(), 100);
        return (bytes[..105], bytes[105..]);
    }

    private static ClientHello Complete(byte[] bytes)
    {
        Assert.Equal(HelloState.Complete, default(HelloReader).Read(new ReadOnlySequence<byte>(bytes), out var hello));
        Assert.Null(hello!.Fault);
        return hello;
    }
}

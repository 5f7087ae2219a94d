using System.Text;

namespace StickyWs.Redis.Tests;

public sealed class PinMessageTests
{
    private const string Sender = "00112233445566778899aabbccddeeff";
    private const string Key = "ffeeddccbbaa99887766554433221100";

    /// <summary>Near to a message, and far from one.</summary>
    public static string[] Malformed { get; } =
    [
        "",
        " ",
        "blue",
        $"{Key} blue",
        $"{Sender} {Key}",
        $"{Sender} {Key} ",
        $"{Sender}  {Key} blue",
        $"{Sender} {Key}blue",
        $"{Sender}{Key} blue  ",
        $"{Sender} {Key[1..]}  blue",
        $"{Sender} {Key[1..]}g blue",
        $"x{Sender[1..]} {Key} blue",
        $"{Sender}\t{Key} blue",
        $"{Sender} {Key} bl\0ue",
        $"{Sender} {Key} blue\r\n",
        $"{Sender} {Key} {new string('x', PinMessage.LongestBackend + 1)}",
    ];

    public static TheoryData<string> MalformedRows => [.. Malformed];

    [Fact]
    public void Read_WhatToStringWrote_IsTheSame()
    {
        var message = new PinMessage(Sender, Key, "blue 1");

        Assert.Equal(message, PinMessage.Read(Encoding.UTF8.GetBytes(message.ToString())));
    }

    [Theory]
    [MemberData(nameof(MalformedRows))]
    public void Read_Malformed_IsNull(string message) => Assert.Null(PinMessage.Read(Encoding.UTF8.GetBytes(message)));

    [Fact]
    public void Read_EveryPrefixOfAMessage_IsNullUntilTheNameBegins()
    {
        var bytes = Encoding.UTF8.GetBytes(new PinMessage(Sender, Key, "b").ToString());

        for (var length = 0; length < bytes.Length; length++) Assert.Null(PinMessage.Read(bytes.AsSpan(0, length)));
    }

    [Fact]
    public void Read_NameThatIsNoUtf8_IsNull() => Assert.Null(PinMessage.Read([.. Encoding.ASCII.GetBytes($"{Sender} {Key} "), 0xC3, 0x28]));

    [Fact]
    public void Read_AnyBytes_ThrowsNothing()
    {
        var random = new Random(1);
        var bytes = new byte[700];
        for (var round = 0; round < 10_000; round++)
        {
            random.NextBytes(bytes);
            _ = PinMessage.Read(bytes.AsSpan(0, random.Next(bytes.Length)));
        }
    }
}

using System.Text;
using StickyWs.Http1;

namespace StickyWs.Tests.Http1;

public sealed class ForwardedNamesTests
{
    [Theory]
    [InlineData("Forwarded", true)]
    [InlineData("x-forwarded-for", true)]
    [InlineData("X-Forwarded-User", true)]
    [InlineData("X_Forwarded_For", true)]
    [InlineData("X-Forwarded_For", true)]
    [InlineData("X-Forwarded", false)]
    [InlineData("X-Forwarded-", false)]
    [InlineData("Y-Forwarded-For", false)]
    [InlineData("X.Forwarded-For", false)]
    [InlineData("X-Forwarder-For", false)]
    [InlineData("", false)]
    public void IsOne_Name_GoesByItsPrefix(string name, bool expected)
    {
        Assert.Equal(expected, ForwardedNames.IsOne(name.AsSpan()));
        Assert.Equal(expected, ForwardedNames.IsOne<byte>(Encoding.ASCII.GetBytes(name)));
    }

    [Theory]
    [InlineData("X-Forwarded-For", true, false)]
    [InlineData("X-Forwarded-Proto", true, false)]
    [InlineData("X-Forwarded-Host", true, false)]
    [InlineData("X-Forwarded-User", true, true)]
    [InlineData("Forwarded", true, true)]
    [InlineData("X_Forwarded_For", false, false)]
    [InlineData("X-Forwarded_User", false, false)]
    public void Passes_Name_GoesByWhoSaysIt(string name, bool ofTrusted, bool ofApplication)
    {
        Assert.Equal(ofTrusted, ForwardedNames.Passes(name.AsSpan(), isTrusted: true, isOfApplication: false));
        Assert.Equal(ofApplication, ForwardedNames.Passes(name.AsSpan(), isTrusted: false, isOfApplication: true));
        Assert.False(ForwardedNames.Passes(name.AsSpan(), isTrusted: false, isOfApplication: false));
    }

    [Fact]
    public void Word_NothingSaid_IsWhatIsKnown()
        => Assert.Equal(["X-Forwarded-For: 10.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: a.test"], Told("10.0.0.1", "a.test"));

    [Fact]
    public void Word_NeitherPeerNorHost_SaysNothingOfThem() => Assert.Equal(["X-Forwarded-Proto: http"], Told(null, ""));

    [Fact]
    public void Word_OfATrustedProxy_IsKeptAndAppendedTo()
        => Assert.Equal(
            ["X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.1", "X-Forwarded-Proto: https, http", "X-Forwarded-Host: shop.test"],
            Told("10.0.0.1", "a.test", "X-Forwarded-For: 1.1.1.1", "x-forwarded-for: 2.2.2.2", "X-Forwarded-Proto: https", "X-Forwarded-Proto: http",
                "X-Forwarded-Host: shop.test"));

    [Fact]
    public void Word_EmptyLine_SaysNothing()
        => Assert.Equal(
            ["X-Forwarded-For: 10.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: a.test"],
            Told("10.0.0.1", "a.test", "X-Forwarded-For: ", "X-Forwarded-Proto: ", "X-Forwarded-Host: "));

    private static List<string> Told(string? peer, string host, params string[] lines)
    {
        var word = default(ForwardedWord);
        foreach (var line in lines)
            word.Note(line.AsSpan(0, line.IndexOf(':', StringComparison.Ordinal)), line[(line.IndexOf(':', StringComparison.Ordinal) + 2)..]);
        List<string> told = [];
        word.AddTo(told, peer, "http", host, static (told, name, value) => told.Add($"{name}: {value}"));
        return told;
    }
}

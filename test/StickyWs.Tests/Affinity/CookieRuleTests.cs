using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Affinity;
using StickyWs.Configuration;
using StickyWs.Observability;
using StickyWs.Pinning;

namespace StickyWs.Tests.Affinity;

public sealed class CookieRuleTests
{
    private static readonly string KeyOne = Convert.ToBase64String(Enumerable.Repeat((byte)1, 32).ToArray());
    private static readonly string KeyTwo = Convert.ToBase64String(Enumerable.Repeat((byte)2, 32).ToArray());
    private static readonly EphemeralDataProtectionProvider Provider = new();

    private readonly FakeTimeProvider _time = new();
    private readonly FakeLogger<CookieSeals> _logger = new();
    private readonly PinKey _pin = PinKey.Random();

    public static TheoryData<bool, string> SealsAndNames
    {
        get
        {
            var data = new TheoryData<bool, string>();
            foreach (var isKeyed in (bool[])[true, false])
            {
                // Lengths on both sides of a step of the padding, and names beyond ASCII.
                string[] names =
                [
                    "a", "six123", "seven12", "backend-with-a-rather-long-name", "\u00e9\u540d\ud83d\ude00", new string('n', 199), new string('n', 200),
                ];
                foreach (var name in names) data.Add(isKeyed, name);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(SealsAndNames))]
    public void Issue_ReadFromEitherSource_IsWhatWasIssued(bool isKeyed, string name)
    {
        var rule = Rule(isKeyed);
        var text = Text(rule.Issue(_pin, name, isHttps: false));

        Assert.Equal(new ClientCookie(_pin, name, IsDue: false), Read(rule, text));
        Assert.True(rule.TryRead(Views.Parsed(headers: "Cookie: StickyWs=" + text), [], out var parsed));
        Assert.Equal(_pin, parsed.Pin);
    }

    [Theory]
    [MemberData(nameof(SealsAndNames))]
    public void Issue_Text_RevealsNothingAndIsNeverTheSame(bool isKeyed, string name)
    {
        var rule = Rule(isKeyed);
        var one = Text(rule.Issue(_pin, name, isHttps: false));
        var other = Text(rule.Issue(_pin, name, isHttps: false));

        Assert.NotEqual(one, other);
        Assert.True(one.Length < CookieSeal.LongestText, $"{one.Length}");
        Assert.DoesNotContain(one, c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'));
        var bytes = Encoding.Latin1.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(one));
        if (name.Length > 1) Assert.DoesNotContain(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(name)), bytes, StringComparison.Ordinal);
        Assert.DoesNotContain(_pin.ToString(), one, StringComparison.Ordinal);
    }

    [Fact]
    public void Issue_NamesOfSimilarLength_HaveTextsOfOneLength()
        => Assert.Single(new[] { "a", "bb", "six123" }.Select(name => Text(Rule(isKeyed: true).Issue(_pin, name, isHttps: false)).Length).Distinct());

    [Theory]
    [MemberData(nameof(SealsAndNames))]
    public void TryRead_AnyBitFlipped_IsNone(bool isKeyed, string name)
    {
        var rule = Rule(isKeyed);
        var text = Encoding.ASCII.GetBytes(Text(rule.Issue(_pin, name, isHttps: false)));

        Assert.All(Enumerable.Range(0, text.Length * 8), bit =>
        {
            byte[] forged = [.. text];
            forged[bit / 8] ^= (byte)(1 << (bit % 8));

            // What a line could not hold, and what ends the value, is no cookie of this rule's.
            if (forged[bit / 8] is < 0x20 or 0x7F or (byte)';') return;
            Assert.Null(Read(rule, Encoding.Latin1.GetString(forged)));
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TryRead_AnyBitOfTheTokenFlipped_IsNone(bool isKeyed)
    {
        var rule = Rule(isKeyed);
        var token = System.Buffers.Text.Base64Url.DecodeFromChars(Text(rule.Issue(_pin, "backend-7", isHttps: false)));

        for (var bit = 0; bit < token.Length * 8; bit++)
        {
            byte[] forged = [.. token];
            forged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Null(Read(rule, System.Buffers.Text.Base64Url.EncodeToString(forged)));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TryRead_CutOffAnywhereOrLonger_IsNone(bool isKeyed)
    {
        var rule = Rule(isKeyed);
        var text = Text(rule.Issue(_pin, "backend-7", isHttps: false));

        for (var length = 0; length < text.Length; length++) Assert.Null(Read(rule, text[..length]));
        for (var start = 1; start < text.Length; start++) Assert.Null(Read(rule, text[start..]));
        foreach (var more in (string[])["A", "AA", "AAA", "AAAA", ".", text]) Assert.Null(Read(rule, text + more));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TryRead_RandomTexts_AreNone(bool isKeyed)
    {
        var rule = Rule(isKeyed);
        var random = new Random(23);
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ \"%\u00e9";
        for (var round = 0; round < 10_000; round++)
        {
            var letters = round % 2 == 0 ? 64 : Alphabet.Length;
            var text = new string([.. Enumerable.Range(0, random.Next(200)).Select(_ => Alphabet[random.Next(letters)])]);
            Assert.Null(Read(rule, text));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TryRead_TextThatIsTooLong_IsNone(bool isKeyed)
    {
        foreach (var length in (int[])[1023, 1024, 1025, 8000]) Assert.Null(Read(Rule(isKeyed), new string('A', length)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TryRead_OtherPoolOrOtherName_IsNone(bool isKeyed)
    {
        var text = Text(Rule(isKeyed).Issue(_pin, "a", isHttps: false));

        Assert.Null(Read(Rule(isKeyed, pool: "other"), text));
        Assert.Null(Read(Rule(isKeyed, options => options.Name = "Other"), text, "Other"));
        Assert.Null(Read(Rule(isKeyed, options => options.Name = "stickyws"), text, "stickyws"));
        Assert.NotNull(Read(Rule(isKeyed, pool: "CHAT"), text));
    }

    [Fact]
    public void TryRead_OtherKeyOrOtherKeyRing_IsNone()
    {
        var keyed = Text(Rule(isKeyed: true).Issue(_pin, "a", isHttps: false));
        var protectedOne = Text(Rule(isKeyed: false).Issue(_pin, "a", isHttps: false));

        Assert.Null(Read(Keyed(KeyTwo), keyed));
        Assert.Null(Read(Rule(isKeyed: false), keyed));
        Assert.Null(Read(Rule(isKeyed: true), protectedOne));
        Assert.Null(Read(Rule(new CookieSeals(new EphemeralDataProtectionProvider(), _logger), new CookieAffinityOptions()), protectedOne));
    }

    [Fact]
    public void TryRead_KeysThatWereRotated_OldOnesOpenAndTheNewOneIssues()
    {
        var before = Text(Keyed(KeyOne).Issue(_pin, "a", isHttps: false));
        var rotated = Keyed(KeyTwo, KeyOne);

        Assert.NotNull(Read(rotated, before));
        var after = Text(rotated.Issue(_pin, "a", isHttps: false));
        Assert.NotNull(Read(Keyed(KeyTwo), after));
        Assert.Null(Read(Keyed(KeyOne), after));
        Assert.Null(Read(Keyed(KeyTwo), before));
    }

    // It is encrypted by a key that the balancer knows, and still says nothing that counts.
    [Fact]
    public void TryRead_SealedContentOfAnotherForm_IsNone()
    {
        var seal = new KeyedSeal([KeyOne], Encoding.UTF8.GetBytes(CookieRule.Purpose("chat", "StickyWs")));
        var good = new byte[32];
        (good[0], good[25]) = (1, 6);
        Assert.NotNull(Read(Rule(isKeyed: true), seal.Seal(good)));

        foreach (var length in (int[])[0, 1, 9, 25]) Assert.Null(Read(Rule(isKeyed: true), seal.Seal(good.AsSpan(0, length))));
        Assert.Null(Read(Rule(isKeyed: true), seal.Seal([2, .. good.AsSpan(1)])));
        good[25] = 7;
        Assert.Null(Read(Rule(isKeyed: true), seal.Seal(good)));
        good[25] = 255;
        Assert.Null(Read(Rule(isKeyed: true), seal.Seal(good)));
        Assert.Null(Read(Rule(isKeyed: true), seal.Seal(new byte[300])));
    }

    [Theory]
    [InlineData(0, true, false)]
    [InlineData(1800, true, false)]
    [InlineData(1801, true, true)]
    [InlineData(3600, true, true)]
    [InlineData(3601, false, false)]
    [InlineData(-600, true, false)]
    public void TryRead_Lifetime_IsDueAfterHalfAndThenOver(int seconds, bool isRead, bool isDue)
    {
        var rule = Rule(isKeyed: true, options => options.Lifetime = TimeSpan.FromHours(1));
        _time.SetUtcNow(new DateTimeOffset(2030, 1, 1, 12, 0, 0, TimeSpan.Zero));
        var text = Text(rule.Issue(_pin, "a", isHttps: false));

        // Another instance's clock may be behind.
        var there = new FakeTimeProvider(_time.GetUtcNow().AddSeconds(seconds));
        var cookie = Read(Rule(isKeyed: true, options => options.Lifetime = TimeSpan.FromHours(1), time: there), text);

        Assert.Equal(isRead ? isDue : null, cookie?.IsDue);
    }

    [Fact]
    public void TryRead_NoLifetime_IsGoodForEver()
    {
        var rule = Rule(isKeyed: true);
        var text = Text(rule.Issue(_pin, "a", isHttps: false));
        _time.Advance(TimeSpan.FromDays(1000));

        Assert.False(Read(rule, text)!.Value.IsDue);
    }

    [Fact]
    public void Issue_Defaults_AreAttributesOfASessionCookie()
        => Assert.Equal("path=/; samesite=lax; httponly", Attributes(Rule(isKeyed: true).Issue(_pin, "a", isHttps: false)));

    [Fact]
    public void Issue_EveryOption_IsItsAttribute()
    {
        var rule = Rule(isKeyed: true, options =>
        {
            options.Name = "lb";
            options.Path = "/chat";
            options.Domain = "example.com";
            options.HttpOnly = false;
            options.SameSite = SameSiteMode.None;
            options.Secure = CookieSecurePolicy.Always;
            options.Lifetime = TimeSpan.FromHours(1);
            options.Partitioned = true;
        });

        var cookie = rule.Issue(_pin, "a", isHttps: false);

        Assert.StartsWith("lb=", cookie, StringComparison.Ordinal);
        Assert.Equal("max-age=3600; domain=example.com; path=/chat; secure; samesite=none; Partitioned", Attributes(cookie));
        Assert.NotNull(Read(rule, Text(cookie), "lb"));
    }

    [Theory]
    [InlineData(CookieSecurePolicy.SameAsRequest, false, false)]
    [InlineData(CookieSecurePolicy.SameAsRequest, true, true)]
    [InlineData(CookieSecurePolicy.Always, false, true)]
    [InlineData(CookieSecurePolicy.None, true, false)]
    public void Issue_Secure_GoesByTheOptionAndTheRequest(CookieSecurePolicy policy, bool isHttps, bool isSecure)
        => Assert.Equal(
            isSecure,
            Attributes(Rule(isKeyed: true, options => options.Secure = policy).Issue(_pin, "a", isHttps)).Contains("secure", StringComparison.Ordinal));

    [Fact]
    public void For_NeitherKeysNorDataProtection_HoldsWithinTheProcessAndIsSaidOnce()
    {
        var seals = new CookieSeals(null, _logger);
        var one = Rule(seals, new CookieAffinityOptions());
        var text = Text(one.Issue(_pin, "a", isHttps: false));

        Assert.NotNull(Read(Rule(seals, new CookieAffinityOptions()), text));
        Assert.Null(Read(Rule(new CookieSeals(null, new FakeLogger<CookieSeals>()), new CookieAffinityOptions()), text));
        var line = Assert.Single(_logger.Collector.GetSnapshot());
        Assert.Equal((LogLevel.Warning, EventIds.CookieKeysEphemeral), (line.Level, line.Id.Id));
    }

    [Fact]
    public void Open_ManyThreads_IsRight()
    {
        var rule = Keyed(KeyTwo, KeyOne);
        var text = Text(Keyed(KeyOne).Issue(_pin, "a", isHttps: false));

        Parallel.For(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            Assert.NotNull(Read(rule, text));
            Assert.Null(Read(rule, "AAAA" + text[4..]));
            if (i % 10 == 0) Assert.NotNull(Read(rule, Text(rule.Issue(_pin, "b", isHttps: false))));
        });
    }

    [Fact]
    public void Seal_Nonce_IsNeverUsedTwice()
    {
        var seal = new KeyedSeal([KeyOne], []);

        Assert.Equal(10_000, Enumerable.Range(0, 10_000).Select(_ => seal.Seal([])[..16]).Distinct().Count());
    }

    [Fact]
    public void Seal_KnownToken_OpensInEveryVersion()
    {
        // Made by hand: AES-256-GCM with the key, a nonce of zeros and the purpose as associated data.
        var (content, cipher, tag) = (Encoding.ASCII.GetBytes("hello"), new byte[5], new byte[16]);
        using var aes = new AesGcm(Convert.FromBase64String(KeyOne), 16);
        aes.Encrypt(new byte[12], content, cipher, tag, "purpose"u8);
        var opened = new byte[64];

        var text = System.Buffers.Text.Base64Url.EncodeToString([.. new byte[12], .. cipher, .. tag]);
        var length = new KeyedSeal([KeyOne], "purpose"u8.ToArray()).Open(Encoding.ASCII.GetBytes(text), opened, out _);

        Assert.Equal("hello", Encoding.ASCII.GetString(opened, 0, length));
    }

    // Where keys come from a server that is away: it must cost no answer.
    [Fact]
    public void Issue_DataProtectionThatFails_IsNoCookieAndOneLogLine()
    {
        var options = new CookieAffinityOptions();
        var rule = new CookieRule(options, new CookieSeals(new BrokenDataProtection(), _logger).For("chat", options), _time);

        for (var i = 0; i < 3; i++) Assert.Null(rule.Issue(PinKey.Random(), "a", isHttps: false));

        Assert.Equal((LogLevel.Error, "CookieNotSealed"), (Assert.Single(_logger.Collector.GetSnapshot()).Level, _logger.LatestRecord.Id.Name));
        Assert.False(rule.TryRead(Views.Sniffed(headers: "Cookie: StickyWs=AAAA"), [], out _));
    }

    // A cookie that lasts as long as the browser would hold the old key for as long.
    [Fact]
    public void TryRead_CookieOfAnOlderKey_IsDue()
    {
        var older = Keyed(KeyOne).Issue(PinKey.Random(), "a", isHttps: false);
        Assert.True(Read(Keyed(KeyTwo, KeyOne), Text(older))!.Value.IsDue);
        Assert.False(Read(Keyed(KeyOne, KeyTwo), Text(older))!.Value.IsDue);
    }

    // A sibling's domain, or an older configuration with another path, has set one as well.
    [Theory]
    [InlineData("{0}; StickyWs=AAAA", true)]
    [InlineData("StickyWs=AAAA; {0}", true)]
    [InlineData("StickyWs=; StickyWs; StickyWs=!; {0}", true)]
    [InlineData("StickyWs=AAAA; x=y\r\nCookie: StickyWs=AAAA; {0}", true)]
    [InlineData("StickyWs=A; StickyWs=B; StickyWs=C; {0}", false)]
    public void TryRead_SeveralOfThatName_IsTheFirstThatIsOurs(string cookies, bool isRead)
    {
        var (rule, pin) = (Keyed(KeyOne), PinKey.Random());
        var headers = "Cookie: " + cookies.Replace("{0}", rule.Issue(pin, "a", isHttps: false)!.Split(';')[0], StringComparison.Ordinal);
        foreach (var (isFound, cookie) in new[] { Taken(Views.Sniffed(headers: headers)), Taken(Views.Parsed(headers: headers)) })
            Assert.Equal((isRead, isRead ? pin : default), (isFound, cookie.Pin));

        (bool, ClientCookie) Taken(in RequestView view) => (rule.TryRead(view, [], out var cookie), cookie);
    }

    [Fact]
    public void TryRead_OneThatIsTooLongComesFirst_IsTheOther()
    {
        var (rule, pin) = (Keyed(KeyOne), PinKey.Random());
        var headers = $"Cookie: StickyWs={new string('A', 2000)}; {rule.Issue(pin, "a", isHttps: false)!.Split(';')[0]}";

        Assert.True(rule.TryRead(Views.Sniffed(headers: headers), [], out var sniffed));
        Assert.True(rule.TryRead(Views.Parsed(headers: headers), [], out var parsed));
        Assert.Equal((pin, pin), (sniffed.Pin, parsed.Pin));
    }

    private static ClientCookie? Read(CookieRule rule, string? text, string name = "StickyWs")
        => rule.TryRead(Views.Sniffed(headers: $"Cookie: {name}={text}"), [], out var cookie) ? cookie : null;

    private static string Text(string? cookie) => cookie!.Split(';')[0].Split('=', 2)[1];

    private static string Attributes(string? cookie) => cookie!.Split("; ", 2)[1];

    private CookieRule Keyed(params string[] keys)
    {
        var options = new CookieAffinityOptions();
        foreach (var key in keys) options.Keys.Add(key);
        return Rule(new CookieSeals(null, _logger), options);
    }

    private CookieRule Rule(bool isKeyed, Action<CookieAffinityOptions>? change = null, string pool = "chat", TimeProvider? time = null)
    {
        var options = new CookieAffinityOptions();
        if (isKeyed) options.Keys.Add(KeyOne);
        change?.Invoke(options);
        return Rule(new CookieSeals(Provider, _logger), options, pool, time);
    }

    private CookieRule Rule(CookieSeals seals, CookieAffinityOptions options, string pool = "chat", TimeProvider? time = null)
        => new(options, seals.For(pool, options), time ?? _time);

    private sealed class BrokenDataProtection : IDataProtectionProvider, IDataProtector
    {
        public IDataProtector CreateProtector(string purpose) => this;

        public byte[] Protect(byte[] plaintext) => throw new CryptographicException("no keys");

        public byte[] Unprotect(byte[] protectedData) => throw new CryptographicException("no keys");
    }
}

using StickyWs.Fuzz;
using StickyWs.Tls;

namespace StickyWs.Tests.Fuzz;

/// <summary>A short, repeatable run of each fuzz target; the program in <c>test/StickyWs.Fuzz</c> runs them for as long as one likes.</summary>
public sealed class FuzzTests
{
    private const int Seed = 20260101;

    [Theory]
    [InlineData("sniffer", 4000)]
    [InlineData("response", 8000)]
    [InlineData("body", 8000)]
    [InlineData("affinity", 8000)]
    [InlineData("frames", 8000)]
    [InlineData("client-hello", 6000)]
    [InlineData("record", 8000)]
    [InlineData("record-content", 1500)]
    [InlineData("record-content-client", 800)]
    [InlineData("direct-requests", 4000)]
    [InlineData("direct-answers", 4000)]
    public async Task Target_FixedSeed_KeepsItsProperties(string name, int cases)
    {
        var needsOpenSsl = name == "client-hello" || name.StartsWith("record", StringComparison.Ordinal);
        Assert.SkipWhen(needsOpenSsl && TlsSupport.FirstRefusal() is not null, TlsSupport.FirstRefusal() ?? "");
        await using var target = FuzzTargets.Create(name)!;

        var result = await Fuzzer.RunAsync(target, Seed, first: 0, cases, TestContext.Current.CancellationToken);

        Assert.Equal(cases, result.Cases);
        Assert.InRange(result.Accepted, cases / 25, cases / 2);
    }

    [Fact]
    public async Task Fuzzer_SameCaseAlone_MakesTheSameInput()
    {
        var (run, alone) = (new Recorder(), new Recorder());

        await Fuzzer.RunAsync(run, Seed, first: 0, cases: 20, CancellationToken.None);
        await Fuzzer.RunAsync(alone, Seed, first: 19, cases: 1, CancellationToken.None);

        Assert.Equal(run.Inputs[19], Assert.Single(alone.Inputs));
        Assert.True(run.Inputs.Distinct().Count() > 10);
    }

    [Fact]
    public async Task Fuzzer_BrokenProperty_NamesSeedCaseAndInput()
    {
        var failure = await Assert.ThrowsAsync<FuzzFailureException>(
            () => Fuzzer.RunAsync(new Recorder(failAt: 5), Seed, first: 0, cases: 20, CancellationToken.None));

        Assert.Contains($"Seed {Seed}, case 5: five", failure.Message, StringComparison.Ordinal);
    }

    private sealed class Recorder(int failAt = -1) : IFuzzTarget
    {
        public List<string> Inputs { get; } = [];

        public IReadOnlyList<byte[]> Corpus { get; } = ["GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray()];

        public IReadOnlyList<byte[]> Dictionary { get; } = ["X: y"u8.ToArray()];

        public Task<bool> CheckAsync(byte[] input, Random random)
        {
            if (Inputs.Count == failAt) throw new InvalidOperationException("five");
            Inputs.Add(Convert.ToHexString(input));
            return Task.FromResult(true);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

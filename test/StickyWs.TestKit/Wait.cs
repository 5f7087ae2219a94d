using System.Runtime.CompilerServices;

namespace StickyWs.TestKit;

/// <summary>Bounded waits: a test waits for what it expects, never for a time, and fails with its name when it does not come.</summary>
public static class Wait
{
    /// <summary>How long anything may take on a busy machine.</summary>
    public static TimeSpan Bound { get; } = TimeSpan.FromSeconds(30);

    /// <summary>A token that ends a wait that would go on for ever.</summary>
    public static CancellationToken Token() => new CancellationTokenSource(Bound).Token;

    /// <summary>Polls until the condition holds.</summary>
    public static Task UntilAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string? what = null)
        => UntilAsync(() => Task.FromResult(condition()), what);

    /// <summary>Polls until the condition, which takes its time, holds.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string? what = null)
    {
        var end = DateTime.UtcNow + Bound;
        while (!await condition())
        {
            if (DateTime.UtcNow > end) throw new TimeoutException($"Waited {Bound} in vain for: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(5));
        }
    }
}

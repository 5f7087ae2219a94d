using System.Runtime.CompilerServices;

namespace StickyWs.Reactors;

/// <summary>The awaitable of <see cref="Reactor.SwitchTo"/>.</summary>
internal readonly struct ReactorSwitch(Reactor reactor, bool inTurn) : ICriticalNotifyCompletion
{
    public bool IsCompleted => inTurn ? reactor.TryBegin() : reactor.IsCurrent;

    public ReactorSwitch GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation)
    {
        if (inTurn) reactor.RunInTurn(continuation);
        else reactor.Run(continuation);
    }
}

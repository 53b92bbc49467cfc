"""CustomerService (INT-16, REC-05, REC-06)."""

from typing import Any
from uuid import UUID

import grpc.aio
from bihuan.intake.v1 import customers_pb2, customers_pb2_grpc
from servicekit.database import Database
from servicekit.identity import caller, language

from intake.cases.unsealing import unseal_texts
from intake.customers import commands, queries
from intake.customers.queries import customer_message
from intake.desk import Desk

Context = grpc.aio.ServicerContext[Any, Any]


class CustomerServicer(customers_pb2_grpc.CustomerServiceServicer):
    def __init__(self, database: Database, desk: Desk) -> None:
        self._database = database
        self._desk = desk

    async def RegisterCustomer(
        self, request: customers_pb2.RegisterCustomerRequest, context: Context
    ) -> customers_pb2.Customer:
        principal, spoken = caller(context), language(context)
        customer = await self._database.run(
            "register_customer",
            lambda tx: commands.register_customer(tx, self._desk, principal, request, spoken),
        )
        return customer_message(self._desk.sealer, principal, customer)

    async def GetCustomer(self, request: customers_pb2.GetCustomerRequest, context: Context) -> customers_pb2.Customer:
        principal = caller(context)
        async with self._database.transaction("get_customer") as tx:
            customer = await queries.find_visible(tx, principal, UUID(request.customer_id))
        return customer_message(self._desk.sealer, principal, customer)

    async def FindCustomers(
        self, request: customers_pb2.FindCustomersRequest, context: Context
    ) -> customers_pb2.FindCustomersResponse:
        principal = caller(context)
        async with self._database.transaction("find_customers") as tx:
            found = await queries.find_by_phone(tx, self._desk.sealer, principal, request.phone)
        messages = [customer_message(self._desk.sealer, principal, customer) for customer in found]
        return customers_pb2.FindCustomersResponse(customers=messages)

    async def EraseCustomer(
        self, request: customers_pb2.EraseCustomerRequest, context: Context
    ) -> customers_pb2.Customer:
        principal = caller(context)
        customer = await self._database.run(
            "erase_customer", lambda tx: commands.erase_customer(tx, principal, UUID(request.customer_id))
        )
        return customer_message(self._desk.sealer, principal, customer)

    async def Unseal(self, request: customers_pb2.UnsealRequest, context: Context) -> customers_pb2.UnsealResponse:
        async with self._database.transaction("unseal") as tx:
            texts, erased = await unseal_texts(
                tx,
                self._desk.sealer,
                caller(context),
                UUID(request.customer_id),
                request.sealed,
                case_id=request.case_id,
            )
        return customers_pb2.UnsealResponse(texts=texts, erased=erased)
